import type { Condition } from '../condition.ts';
import type { PushReason } from '../target.ts';

/** What a broker can say of one part of a condition. */
export interface Share<Native> {
  /** Holds wherever the part does; undefined: nothing can be said. */
  readonly native: Native | undefined;
  /** Does it hold nowhere else? Then the part need not be evaluated again. */
  readonly exact: boolean;
  /** Why not, for each test that is to blame. */
  readonly reasons: readonly PushReason[];
}

export interface Splitting<Native> {
  /** @param coarse asks for a shorter native form, such as a prefix instead of a long list, because the first did not fit. */
  share(part: Condition, coarse: boolean): Share<Native>;
  /** Does the broker take all of these together? */
  fits(natives: readonly Native[]): boolean;
  /** What to tell the user of a part that did not fit. */
  tooMuch(part: Condition): PushReason;
}

export interface Split<Native> {
  /** All of them must hold, in the order of the condition. */
  readonly natives: readonly Native[];
  readonly residual: Condition;
  readonly reasons: readonly PushReason[];
}

/**
 * Splits a condition at its outermost AND: what each part becomes natively is sent, as far as it fits, those first that
 * drop most; what that is not exact for stays.
 */
export function splitCondition<Native>(condition: Condition, splitting: Splitting<Native>): Split<Native> {
  const parts = condition.kind === 'all' ? condition.of : [condition];
  const shares = choose(parts, splitting);
  const natives: Native[] = [];
  const left: Condition[] = [];
  const reasons: PushReason[] = [];
  for (const [at, { native, exact, reasons: own }] of shares.entries()) {
    if (native !== undefined) natives.push(native);
    if (exact) continue;
    left.push(parts[at]!);
    reasons.push(...own);
  }
  return { natives, residual: conjunction(left), reasons: distinct(reasons) };
}

/** Maximum number of reasons; more are not useful. */
const MANY_REASONS = 50;

/** A test that a condition holds twice is explained once. */
function distinct(reasons: readonly PushReason[]): readonly PushReason[] {
  if (reasons.length > MANY_REASONS) return reasons;
  return [...new Map(reasons.map((each) => [`${each.part}\n${each.reason}`, each])).values()];
}

export function conjunction(parts: readonly Condition[]): Condition {
  if (parts.length === 0) return { kind: 'always' };
  return parts.length === 1 ? parts[0]! : { kind: 'all', of: parts };
}

/** No broker has room for more, so no more are tried. */
const MAX_PARTS = 64;

function choose<Native>(parts: readonly Condition[], splitting: Splitting<Native>): readonly Share<Native>[] {
  if (parts.length <= MAX_PARTS) {
    const whole = parts.map((part) => splitting.share(part, false));
    if (splitting.fits(whole.flatMap(({ native }) => (native === undefined ? [] : [native])))) return whole;
  }
  const chosen = parts.map((part): Share<Native> => {
    return { native: undefined, exact: false, reasons: [splitting.tooMuch(part)] };
  });
  const kept: Native[] = [];
  const byWorth = parts
    .map((part, at) => ({ at, worth: worthOf(part) }))
    .sort((a, b) => a.worth - b.worth || a.at - b.at);
  for (const { at } of byWorth.slice(0, MAX_PARTS)) {
    const full = splitting.share(parts[at]!, false);
    if (full.native === undefined || splitting.fits([...kept, full.native])) {
      chosen[at] = full;
      if (full.native !== undefined) kept.push(full.native);
      continue;
    }
    const { native } = splitting.share(parts[at]!, true);
    if (native === undefined || !splitting.fits([...kept, native])) continue;
    chosen[at] = { ...chosen[at]!, native };
    kept.push(native);
  }
  return chosen;
}

/** A guess at the share of events that pass: the smaller, the more is saved by sending it. */
function worthOf(condition: Condition): number {
  switch (condition.kind) {
    case 'never':
      return 0;
    case 'always':
      return 1;
    case 'all':
      return condition.of.reduce((product, part) => product * worthOf(part), 1);
    case 'any':
      return Math.min(
        1,
        condition.of.reduce((sum, part) => sum + worthOf(part), 0),
      );
    case 'present':
      return condition.negated ? 0.5 : 0.9;
    case 'text':
    case 'element': {
      const count = condition.kind === 'text' ? condition.values.length : condition.elements.length;
      return condition.negated ? 0.8 : Math.min(0.7, 0.02 * count);
    }
    case 'flag':
      return 0.5;
    case 'integer':
      return condition.negated ? 0.8 : condition.low === condition.high ? 0.02 : 0.4;
    case 'like':
      return condition.negated ? 0.8 : 0.15;
    case 'expression':
      return 0.6;
  }
}
