import { expect, it } from 'vitest';
import { messageOf, ruleOf, truthOf } from './messages.ts';

// Lines of DEVIATIONS.md about rules that no other test holds: how the language is read where the vendor's pages leave room.

const message = messageOf(
  { n: 5n, half: 0.5, text: 'Red', nothing: null, most: 2n ** 63n - 1n },
  { label: 'Order', messageid: 'm' },
);
const truths = (...expressions: string[]) => expressions.map((expression) => truthOf(expression, message));

it('values of unlike types are neither equal nor unequal', () => {
  expect(truths("n = '5'", "n <> '5'", "NOT (n = '5')", "n NOT IN ('5')")).toEqual(Array(4).fill(undefined));
});

it('an integer and a double compare as doubles, two integers wrap at 64 bits', () => {
  expect(truths('n = 5.0', 'half < n', 'most + 1 < 0')).toEqual([true, true, true]);
});

it('LIKE tells capitals from small letters', () => {
  expect(truths("text LIKE 'R%'", "text LIKE 'r%'")).toEqual([true, false]);
});

it('EXISTS is true of a property that is null, and false of a system property that is not set', () => {
  expect(truths('EXISTS(nothing)', 'EXISTS(none)', 'EXISTS(sys.Label)', 'EXISTS(sys.To)')).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

it('TRUE or a property alone is no condition', () => {
  for (const expression of ['TRUE', 'n', 'n = 5 AND TRUE']) expect(() => ruleOf(expression)).toThrow();
});

it('the compatibility level changes nothing', () => {
  for (const compatibilityLevel of [1, 20, 25]) {
    const rule = ruleOf({ kind: 'sql', expression: "n <> '5' OR text LIKE 'r%'", compatibilityLevel });
    expect(rule.matches(message)).toBe(false);
  }
});
