import { PolycastError } from '../error.ts';
import type { AttributeValue, BroadcastEvent } from '../event.ts';

/** A filter as a tree. The whole language arrives with CESQL; today there are equality and conjunction. */
export type FilterTree =
  | { readonly kind: 'equals'; readonly attribute: string; readonly value: AttributeValue }
  | { readonly kind: 'and'; readonly of: readonly FilterTree[] };

/** What `subscribe({ filter })` takes: the `exact` dialect of the CloudEvents Subscriptions API. */
export interface FilterInput {
  /** Every attribute must be there and equal its value. */
  readonly exact: Readonly<Record<string, AttributeValue>>;
}

/** @throws PolycastError `invalid-filter` */
export function parseFilter(input: FilterInput): FilterTree {
  const exact: unknown = (input as FilterInput | null)?.exact;
  if (typeof exact !== 'object' || exact === null || Object.keys(input).length !== 1) {
    throw new PolycastError('invalid-filter', 'a filter is written { exact: { <attribute>: <value> } }');
  }
  const of = Object.entries(exact).map(([attribute, value]): FilterTree => {
    if (!/^[a-z0-9]+$/.test(attribute) || attribute === 'data') {
      throw new PolycastError('invalid-filter', `${JSON.stringify(attribute)} is no CloudEvents attribute name`);
    }
    if (typeof value !== 'string' && typeof value !== 'boolean' && !Number.isInteger(value)) {
      throw new PolycastError('invalid-filter', `${attribute} must equal a text, an integer or a boolean`);
    }
    return { kind: 'equals', attribute, value: value as AttributeValue };
  });
  if (of.length === 0) throw new PolycastError('invalid-filter', 'exact needs at least one attribute');
  return of.length === 1 ? (of[0] as FilterTree) : { kind: 'and', of };
}

/** The tree as closures: no code is made at run time, so it runs under a strict content security policy. */
export function compileFilter(tree: FilterTree): (event: BroadcastEvent) => boolean {
  if (tree.kind === 'equals') {
    const { attribute, value } = tree;
    return (event) => event[attribute] === value;
  }
  const parts = tree.of.map(compileFilter);
  return (event) => parts.every((accepts) => accepts(event));
}
