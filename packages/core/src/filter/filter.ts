import type { AttributeValue } from '../event.ts';

/** A filter as a tree. The whole language arrives with CESQL; today there are equality and conjunction. */
export type FilterTree =
  | { readonly kind: 'equals'; readonly attribute: string; readonly value: AttributeValue }
  | { readonly kind: 'and'; readonly of: readonly FilterTree[] };

/** What `subscribe({ filter })` takes: the `exact` dialect of the CloudEvents Subscriptions API. */
export interface FilterInput {
  /** Every attribute must be there and equal its value. */
  readonly exact: Readonly<Record<string, AttributeValue>>;
}
