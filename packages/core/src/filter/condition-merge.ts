import type { Condition, ConstantCondition, IntegerTest, Test, TextTest } from './condition.ts';
import { MAX_INTEGER, MIN_INTEGER } from './tree.ts';

export const ALWAYS: ConstantCondition = { kind: 'always' };
export const NEVER: ConstantCondition = { kind: 'never' };

export function presentTest(attribute: string, negated: boolean): Test {
  return { kind: 'present', attribute, negated };
}

/** `values` must be distinct. None of them: nothing is one of them, and everything is not. */
export function textTest(attribute: string, values: readonly string[], negated: boolean): Condition {
  if (values.length === 0) return negated ? presentTest(attribute, false) : NEVER;
  return { kind: 'text', attribute, values, negated };
}

/** A range that reaches one end of all integers is never written as what lies outside of another. */
export function integerTest(attribute: string, low: number, high: number, negated: boolean): Condition {
  if (!negated) return low > high ? NEVER : { kind: 'integer', attribute, low, high, negated };
  if (low > high) return integerTest(attribute, MIN_INTEGER, MAX_INTEGER, false);
  if (low === MIN_INTEGER) return integerTest(attribute, high + 1, MAX_INTEGER, false);
  if (high === MAX_INTEGER) return integerTest(attribute, MIN_INTEGER, low - 1, false);
  return { kind: 'integer', attribute, low, high, negated };
}

/** Where all of `parts` hold: as few tests as that can easily be said with. */
export function allOf(parts: readonly Condition[]): Condition {
  return merge('all', parts);
}

/** Where any of `parts` holds. */
export function anyOf(parts: readonly Condition[]): Condition {
  return merge('any', parts);
}

/** Does `guard` hold wherever `condition` does? False where that is not plain to see. */
export function implies(condition: Condition, guard: Condition): boolean {
  if (condition === guard || guard.kind === 'always' || condition.kind === 'never') return true;
  if (guard.kind === 'all') return guard.of.every((part) => implies(condition, part));
  if (condition.kind === 'any') return condition.of.every((part) => implies(part, guard));
  if (condition.kind === 'all') return condition.of.some((part) => implies(part, guard));
  if (guard.kind === 'present') {
    if (!('attribute' in condition)) return false;
    return condition.attribute === guard.attribute && needsPresence(condition) === !guard.negated;
  }
  if (guard.kind === 'integer' && condition.kind === 'integer' && condition.attribute === guard.attribute) {
    if (guard.negated) return false;
    const isWhole = guard.low === MIN_INTEGER && guard.high === MAX_INTEGER;
    return isWhole || (!condition.negated && condition.low >= guard.low && condition.high <= guard.high);
  }
  return false;
}

/** Every test is false where its attribute is absent, but for one. */
function needsPresence(test: Test): boolean {
  return !(test.kind === 'present' && test.negated);
}

function merge(kind: 'all' | 'any', parts: readonly Condition[]): Condition {
  const [empty, full] = kind === 'all' ? [ALWAYS, NEVER] : [NEVER, ALWAYS];
  const flat: Condition[] = [];
  for (const part of parts) {
    if (part.kind === full.kind) return full;
    if (part.kind === empty.kind) continue;
    if (part.kind === kind) for (const inner of part.of) flat.push(inner);
    else flat.push(part);
  }
  const merged = sharesAttribute(flat) ? mergeTests(kind, flat) : flat;
  if (merged.some((part) => part.kind === full.kind)) return full;
  if (merged.length === 0) return empty;
  return merged.length === 1 ? merged[0]! : { kind, of: merged };
}

const FEW = 8;

/** Is there something to merge at all? Mostly there is not. */
function sharesAttribute(parts: readonly Condition[]): boolean {
  if (parts.length > FEW) return true;
  for (let at = 0; at < parts.length; at++) {
    const attribute = attributeOf(parts[at]!);
    for (let other = 0; other < parts.length; other++) {
      if (other === at) continue;
      const part = parts[other]!;
      // A group may imply the presence of what another part asks for.
      if (part.kind === 'all' || part.kind === 'any') return true;
      if (attribute !== undefined && attribute === attributeOf(part)) return true;
    }
  }
  return false;
}

function attributeOf(condition: Condition): string | undefined {
  return 'attribute' in condition ? condition.attribute : undefined;
}

/** Merges the tests of each attribute, which then stand where the first of them stood; the rest stays where it was. */
function mergeTests(kind: 'all' | 'any', parts: readonly Condition[]): Condition[] {
  const byAttribute = new Map<string, Test[]>();
  const rest = new Set<Condition>();
  const order: (string | Condition)[] = [];
  for (const part of parts) {
    const attribute = attributeOf(part);
    if (attribute === undefined) {
      if (!rest.has(part)) order.push(part);
      rest.add(part);
      continue;
    }
    const tests = byAttribute.get(attribute);
    if (tests !== undefined) tests.push(part as Test);
    else {
      byAttribute.set(attribute, [part as Test]);
      order.push(attribute);
    }
  }
  const merged = order.flatMap((item) => {
    if (typeof item !== 'string') return [item];
    const tests = byAttribute.get(item)!;
    if (tests.length === 1) return tests;
    return kind === 'all' ? allOfAttribute(item, tests) : anyOfAttribute(item, tests);
  });
  return rest.size === 0 ? merged : withoutImplied(kind, merged);
}

/** Drops `present` tests that a group implies, or that imply a group. */
function withoutImplied(kind: 'all' | 'any', parts: Condition[]): Condition[] {
  const groups = parts.filter((part) => part.kind === 'all' || part.kind === 'any');
  if (groups.length === 0 || groups.length > FEW) return parts;
  if (kind === 'all') {
    return parts.filter((part) => part.kind !== 'present' || !groups.some((group) => implies(group, part)));
  }
  const present = parts.filter((part) => part.kind === 'present');
  return parts.filter((part) => !groups.includes(part) || !present.some((test) => implies(part, test)));
}

function allOfAttribute(attribute: string, tests: readonly Test[]): Condition[] {
  let isAbsent = false;
  let isPresent = false;
  let within: ReadonlySet<string> | undefined;
  const without = new Set<string>();
  let range: IntegerTest | undefined;
  const holes: IntegerTest[] = [];
  const others = new Map<string, Test>();
  for (const test of tests) {
    if (needsPresence(test)) isPresent = true;
    else isAbsent = true;
    if (test.kind === 'text' && test.negated) for (const value of test.values) without.add(value);
    else if (test.kind === 'text') within = intersection(within, test.values);
    else if (test.kind === 'integer' && test.negated) holes.push(test);
    else if (test.kind === 'integer') {
      const low = Math.max(test.low, range?.low ?? MIN_INTEGER);
      const high = Math.min(test.high, range?.high ?? MAX_INTEGER);
      range = { kind: 'integer', attribute, low, high, negated: false };
    } else if (test.kind !== 'present') others.set(keyOf(test), test);
  }
  if (isAbsent) return [isPresent ? NEVER : presentTest(attribute, true)];
  if (others.has('flag true') && others.has('flag false')) return [NEVER];
  const merged: Condition[] = [];
  if (within !== undefined) {
    const values = [...within].filter((value) => !without.has(value));
    merged.push(textTest(attribute, values, false));
  } else if (without.size > 0) merged.push(textTest(attribute, [...without], true));
  merged.push(...integersOf(attribute, range, holes), ...others.values());
  return merged.length > 0 ? merged : [presentTest(attribute, false)];
}

function intersection(within: ReadonlySet<string> | undefined, values: readonly string[]): ReadonlySet<string> {
  return new Set(within === undefined ? values : values.filter((value) => within.has(value)));
}

/** A range with holes: those at its ends shorten it, those outside of it go. */
function integersOf(attribute: string, range: IntegerTest | undefined, holes: readonly IntegerTest[]): Condition[] {
  if (range === undefined) return dedupe(holes);
  let { low, high } = range;
  const sorted = holes.length < 2 ? holes : [...holes].sort((a, b) => a.low - b.low);
  for (const hole of sorted) if (hole.low <= low && hole.high >= low) low = hole.high + 1;
  for (const hole of [...sorted].sort((a, b) => b.high - a.high)) {
    if (hole.high >= high && hole.low <= high) high = hole.low - 1;
  }
  if (low > high) return [NEVER];
  const inside = sorted.filter((hole) => hole.high >= low && hole.low <= high);
  return [integerTest(attribute, low, high, false), ...dedupe(inside)];
}

function anyOfAttribute(attribute: string, tests: readonly Test[]): Condition[] {
  let isAbsent = false;
  let isPresent = false;
  const within = new Set<string>();
  let without: ReadonlySet<string> | undefined;
  const ranges: IntegerTest[] = [];
  const others = new Map<string, Test>();
  for (const test of tests) {
    if (test.kind === 'present') {
      if (test.negated) isAbsent = true;
      else isPresent = true;
    } else if (test.kind === 'text' && test.negated) without = intersection(without, test.values);
    else if (test.kind === 'text') for (const value of test.values) within.add(value);
    else if (test.kind === 'integer' && !test.negated) ranges.push(test);
    else others.set(keyOf(test), test);
  }
  if (without !== undefined) {
    const values = [...without].filter((value) => !within.has(value));
    if (values.length === 0) isPresent = true;
    else others.set('text', textTest(attribute, values, true) as TextTest);
  } else if (within.size > 0) others.set('text', textTest(attribute, [...within], false) as TextTest);
  if (isPresent && isAbsent) return [ALWAYS];
  if (isPresent) return [presentTest(attribute, false)];
  const merged: Condition[] = [...others.values(), ...joined(ranges)];
  return isAbsent ? [presentTest(attribute, true), ...merged] : merged;
}

/** Ranges that overlap or touch become one. */
function joined(ranges: readonly IntegerTest[]): IntegerTest[] {
  const result: IntegerTest[] = [];
  for (const range of [...ranges].sort((a, b) => a.low - b.low)) {
    const last = result.at(-1);
    if (last === undefined || last.high + 1 < range.low) result.push(range);
    else if (range.high > last.high) result[result.length - 1] = { ...last, high: range.high };
  }
  return result;
}

function dedupe(tests: readonly IntegerTest[]): Condition[] {
  return [...new Map(tests.map((test) => [keyOf(test), test])).values()];
}

/** Tells tests of one attribute apart. Lists are told apart by identity alone: they can be long. */
function keyOf(test: Test): string {
  switch (test.kind) {
    case 'flag':
      return `flag ${test.value}`;
    case 'like':
      return `like ${test.negated} ${test.pattern}`;
    case 'integer':
      return `integer ${test.negated} ${test.low} ${test.high}`;
    case 'element':
      return `element ${test.negated} ${JSON.stringify(test.elements)}`;
    default:
      return test.kind;
  }
}
