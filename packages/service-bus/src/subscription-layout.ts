import type { Address, SourceRequest } from '@polycast/core/adapter';
import { entityName } from './names.ts';
import { groupRule, type PlannedRule, readerRule, silentRule } from './rules.ts';

/** One Service Bus subscription that a source reads from. */
export interface SubscriptionPlan {
  readonly name: string;
  /** All must be there. */
  readonly rules: readonly PlannedRule[];
  readonly requiresSession: boolean;
  /** As it was asked for, ms. */
  readonly lockMs: number;
  /** Goes when nobody has read from it for five minutes. */
  readonly autoDelete: boolean;
  /** Rules that are nobody else's are there by mistake. In a group there are those of other members. */
  readonly isExclusive: boolean;
}

/** What becomes of the subscriptions of a source that closes. */
export type Cleanup =
  /** They stay as they are. */
  | { readonly kind: 'keep' }
  /** They are removed. */
  | { readonly kind: 'delete' }
  /** The mark is taken from the first; with the last mark they are all removed. */
  | { readonly kind: 'leave'; readonly mark: string };

export interface SourcePlan {
  readonly subscriptions: readonly [SubscriptionPlan, ...SubscriptionPlan[]];
  readonly ending: Cleanup;
}

/** Whose source it is. */
export interface Reader {
  readonly instance: string;
  /** Of the link: the mark of its messages. */
  readonly link: string;
  /** Nobody else's, in any life: makes a dynamic subscription new. Without the right to create there is none, but a place among the link's sources. */
  readonly unique: string;
}

const MARK = 'mark.';
const DURABLE_MARK = `${MARK}durable`;

/** Which Service Bus subscriptions serve a source, with which rules, and what becomes of them. */
export function planSource(request: SourceRequest, reader: Reader): SourcePlan {
  return request.group === undefined ? readerPlan(request, reader) : groupPlan(request, reader, request.group);
}

function readerPlan(
  { addresses, filter, durable, lockMs }: SourceRequest,
  { instance, link, unique }: Reader,
): SourcePlan {
  const subscription: SubscriptionPlan = {
    name:
      durable === undefined
        ? entityName(kindOfReader(addresses), instance, unique)
        : entityName('durable', instance, durable),
    rules: [readerRule({ addresses, filter, ownLink: link })],
    requiresSession: false,
    lockMs,
    autoDelete: durable === undefined,
    isExclusive: true,
  };
  return { subscriptions: [subscription], ending: { kind: durable === undefined ? 'delete' : 'keep' } };
}

/** Named apart, so that without the right to create each finds its own, in whatever order they are opened. */
export function kindOfReader(addresses: readonly Address[]): string {
  return addresses.includes('*') ? 'instance' : 'instance-only';
}

/** What has a partition key is apart, so that its subscription may require sessions. */
function groupPlan(request: SourceRequest, { unique }: Reader, group: string): SourcePlan {
  const { durable, lockMs } = request;
  const mark = durable === undefined ? `${MARK}${unique}` : DURABLE_MARK;
  const shared = { lockMs, autoDelete: durable === undefined, isExclusive: false };
  // A role and a name: neither has a slash.
  const parts = group.split('/');
  return {
    subscriptions: [
      {
        ...shared,
        name: entityName('group', ...parts),
        // The mark comes first: who leaves must see it before there is anything to lose.
        rules: [silentRule(mark), groupRule(request, false)],
        requiresSession: false,
      },
      {
        ...shared,
        name: entityName('group', ...parts, 'keyed'),
        rules: durable === undefined ? [groupRule(request, true)] : [silentRule(mark), groupRule(request, true)],
        requiresSession: true,
      },
    ],
    ending: durable === undefined ? { kind: 'leave', mark } : { kind: 'keep' },
  };
}

/** Does the mark say that a group outlives its members? */
export function isDurablePresenceRule(ruleName: string): boolean {
  return ruleName === DURABLE_MARK;
}

/** Does the rule say by its name that somebody is there, and nothing else? */
export function isPresenceRule(ruleName: string): boolean {
  return ruleName.startsWith(MARK);
}
