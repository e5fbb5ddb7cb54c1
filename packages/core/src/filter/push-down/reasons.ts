import type { Condition } from '../condition.ts';
import { sketchOf } from '../condition-tree.ts';
import { printFilter } from '../print.ts';
import type { PushReason } from '../target.ts';

/** Maximum length of a part quoted in a reason, in characters, and maximum number of values of a list. */
const MAX_PART = 160;
const MAX_VALUES = 12;

/** The part is written when it is read: a subscription needs no reasons. */
export function reasonFor(part: Condition, reason: string): PushReason {
  return {
    get part() {
      return describe(part);
    },
    reason,
  };
}

/** A part as CESQL, short enough to quote. */
export function describe(part: Condition): string {
  const text = printFilter(sketchOf(abridged(part)));
  return text.length <= MAX_PART ? text : `${text.slice(0, MAX_PART - 1)}…`;
}

function abridged(part: Condition): Condition {
  if (part.kind === 'text') return { ...part, values: part.values.slice(0, MAX_VALUES) };
  if (part.kind === 'element') return { ...part, elements: part.elements.slice(0, MAX_VALUES) };
  if (part.kind !== 'all' && part.kind !== 'any') return part;
  return { kind: part.kind, of: part.of.slice(0, MAX_VALUES).map(abridged) };
}
