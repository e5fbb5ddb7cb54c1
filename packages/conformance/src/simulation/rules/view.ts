import type { Profile } from '../profile.ts';
import { storeName } from '../service.ts';
import type { Call, Handed, Moment, Published, SourceRecord, SubscriptionRecord, Trace } from '../trace.ts';

/** What a rule looks at: one subscription of a run, with everything that concerns it. */
export interface View {
  readonly trace: Trace;
  readonly profile: Profile;
  readonly sub: SubscriptionRecord;
  readonly calls: readonly Call[];
  /** Sources that fed it, oldest first. */
  readonly sources: readonly SourceRecord[];
  /** It, and all that share its group or its name, in the order made. */
  readonly family: readonly SubscriptionRecord[];
  readonly familyCalls: readonly Call[];
  readonly familySources: readonly SourceRecord[];
  published(number: number): Published | undefined;
}

/** @returns what is wrong, each with the name of the rule first: `order: …` */
export type Rule = (view: View) => readonly string[];

export function viewOf(trace: Trace, profile: Profile, sub: SubscriptionRecord): View {
  const name = storeName(sub.plan, sub.instance);
  const family =
    name === undefined
      ? [sub]
      : [...trace.subscriptions.values()].filter((other) => storeName(other.plan, other.instance) === name);
  const members = new Set(family.map(({ plan }) => plan.sub));
  const sources = trace.sources.filter((source) => feeds(source, sub, profile));
  return {
    trace,
    profile,
    sub,
    calls: trace.calls.filter((call) => call.sub === sub.plan.sub),
    sources,
    family,
    familySources:
      family.length === 1
        ? sources
        : trace.sources.filter((source) => family.some((member) => feeds(source, member, profile))),
    familyCalls:
      family.length === 1
        ? trace.calls.filter((call) => call.sub === sub.plan.sub)
        : trace.calls.filter((call) => members.has(call.sub)),
    published: (number) => trace.published[number],
  };
}

function feeds(source: SourceRecord, sub: SubscriptionRecord, profile: Profile): boolean {
  if (source.slot !== sub.slot || source.isControl) return false;
  return profile.isLeased
    ? source.sub === sub.plan.sub
    : isDuring(source.openedAt, sub) || isBefore(source.openedAt, sub.openedAt);
}

/** Was it for this subscription? */
export function isFor({ sub }: View, published: Published): boolean {
  // What a stranger sends with its name is taken for its own.
  if (published.source === `/${sub.role}/${sub.instance}` && !published.carbonCopy) return false;
  return isAddressed(sub, published);
}

export function isAddressed(sub: SubscriptionRecord, published: Published): boolean {
  return published.to.some(
    (address) => address === '*' || address === `role:${sub.role}` || address === `instance:${sub.instance}`,
  );
}

export function isBefore(one: Moment | undefined, other: Moment | undefined): boolean {
  return one !== undefined && other !== undefined && one.tick < other.tick;
}

/** While it was open, and nothing had asked it to close. */
export function isDuring(moment: Moment, sub: SubscriptionRecord): boolean {
  return isBefore(sub.openedAt, moment) && (sub.closeCalledAt === undefined || isBefore(moment, sub.closeCalledAt));
}

export const isOpenAtRest = (sub: SubscriptionRecord, trace: Trace): boolean => isDuring(trace.restedAt, sub);

/** A handler of it still runs when everything has come to rest: what waits behind it may wait. */
export function isBlocked(calls: readonly Call[], trace: Trace): boolean {
  return calls.some(({ endedAt }) => endedAt === undefined || isBefore(trace.restedAt, endedAt));
}

/** Everything handed to the sources of a subscription, in order. */
export function handedTo({ sources }: View): readonly Handed[] {
  if (sources.length === 1) return (sources[0] as SourceRecord).handed;
  return sources.flatMap(({ handed }) => handed).sort((one, other) => one.at.tick - other.at.tick);
}

export function nameOf({ sub }: View): string {
  return `subscription ${sub.plan.sub}`;
}
