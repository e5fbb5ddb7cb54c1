import type { Profile } from '../profile.ts';
import { storeNameOf } from '../service.ts';
import type { Call, Handed, Moment, Published, SourceRecord, SubscriptionRecord, Trace } from '../trace.ts';

/**
 * What a rule looks at: one subscription of a run, with everything that concerns it. A member of a group is looked at twice: as one of
 * its group, and as a subscription of its instance.
 */
export interface View {
  /** All of it; or what comes through the group; or what is for the instance, past the group. */
  readonly part: 'whole' | 'group' | 'instance';
  /** Is what comes settled with the service? */
  readonly isLeased: boolean;
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

export function viewsOf(trace: Trace, profile: Profile, sub: SubscriptionRecord): readonly View[] {
  const whole = viewOf(trace, profile, sub);
  return sub.plan.group === undefined ? [whole] : [ofGroup(whole), ofInstance(whole)];
}

function ofGroup(whole: View): View {
  const { trace, family } = whole;
  const isInstances = (call: Call) => {
    const { number } = call;
    const member = trace.subscriptions.get(call.sub);
    const published = trace.published[number];
    // Of several with one id each stands for the others.
    if (member === undefined || published === undefined || published.id !== undefined) return false;
    if (!isForInstance(member, published)) return false;
    return !trace.sources.some(
      (source) => source.sub === call.sub && source.handed.some((one) => one.number === number),
    );
  };
  return {
    ...whole,
    part: 'group',
    family,
    familyCalls: whole.familyCalls.filter((call) => !isInstances(call)),
  };
}

function ofInstance(whole: View): View {
  const { trace, sub, profile } = whole;
  const calls = whole.calls.filter(({ number }) => {
    const published = trace.published[number];
    return published !== undefined && (isForInstance(sub, published) || published.id !== undefined);
  });
  const sources = trace.sources.filter(
    (source) =>
      source.isDirect &&
      source.slot === sub.slot &&
      !isBefore(sub.closedAt ?? sub.crashedAt, source.openedAt) &&
      !isBefore(source.closedAt, sub.calledAt),
  );
  return {
    ...whole,
    part: 'instance',
    isLeased: profile.isLeased,
    calls,
    sources,
    family: [sub],
    familyCalls: calls,
    familySources: sources,
  };
}

function viewOf(trace: Trace, profile: Profile, sub: SubscriptionRecord): View {
  const name = storeNameOf(sub);
  const family =
    name === undefined ? [sub] : [...trace.subscriptions.values()].filter((other) => storeNameOf(other) === name);
  const members = new Set(family.map(({ plan }) => plan.sub));
  const sources = trace.sources.filter((source) => feeds(source, sub, profile));
  return {
    part: 'whole',
    isLeased: profile.isLeased || sub.plan.group !== undefined,
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
  if (source.slot !== sub.slot || source.isDirect) return false;
  return profile.isLeased || sub.plan.group !== undefined
    ? source.sub === sub.plan.sub
    : source.sub === undefined && (isDuring(source.openedAt, sub) || isBefore(source.openedAt, sub.openedAt));
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

/** Does it reach the subscription past its group? */
export function isForInstance({ instance }: SubscriptionRecord, { to }: Published): boolean {
  // Who is among everyone is not addressed by name besides.
  return !to.includes('*') && to.includes(`instance:${instance}`);
}

/** May a group get it: is it for everyone or for a role? */
export function isForGroups({ to }: Published): boolean {
  return to.some((address) => !address.startsWith('instance:'));
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
