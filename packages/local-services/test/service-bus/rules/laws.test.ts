import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FilterEvaluationError, type RuleMessage } from '../../../src/service-bus/rules/index.ts';
import { parseFilter } from '../../../src/service-bus/rules/parse.ts';
import { truthOf } from './messages.ts';
import { expressions, messages, predicates, print } from './trees.ts';

/** Also when it fails: then two that say the same both do. */
function outcomeOf(text: string, message: RuleMessage): boolean | undefined | 'error' {
  try {
    return truthOf(text, message);
  } catch (error) {
    if (error instanceof FilterEvaluationError) return 'error';
    throw error;
  }
}

const same = (message: RuleMessage, one: string, other: string) =>
  expect([one, other, outcomeOf(one, message)]).toEqual([one, other, outcomeOf(other, message)]);

/** IN does not look at its list when there is nothing to look for, so it may say what equalities fail to. */
const sameUnlessFails = (message: RuleMessage, one: string, other: string) => {
  if (outcomeOf(other, message) !== 'error') same(message, one, other);
};

const texts = predicates.map(print);

describe('a filter', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(predicates, (tree) => {
        expect(parseFilter(print(tree))).toEqual(tree);
      }),
      { numRuns: 2_000 },
    );
  });

  it('denied twice is itself', () => {
    fc.assert(
      fc.property(texts, messages, (a, message) => {
        same(message, `NOT (NOT ${a})`, a);
      }),
      { numRuns: 1_000 },
    );
  });

  it('obeys De Morgan', () => {
    fc.assert(
      fc.property(texts, texts, messages, (a, b, message) => {
        same(message, `NOT (${a} AND ${b})`, `NOT ${a} OR NOT ${b}`);
        same(message, `NOT (${a} OR ${b})`, `NOT ${a} AND NOT ${b}`);
      }),
      { numRuns: 1_000 },
    );
  });

  it('joins and distributes as three-valued logic does', () => {
    fc.assert(
      fc.property(texts, texts, texts, messages, (a, b, c, message) => {
        same(message, `(${a} AND ${b}) AND ${c}`, `${a} AND (${b} AND ${c})`);
        same(message, `(${a} OR ${b}) OR ${c}`, `${a} OR (${b} OR ${c})`);
        same(message, `${a} AND ${a}`, a);
        same(message, `(${a} OR ${b}) AND (1 = 1 OR ${c})`, `${a} OR ${b}`);
        // Either side may stop before the one that fails.
        const spread = [`${a} AND (${b} OR ${c})`, `${a} AND ${b} OR ${a} AND ${c}`] as const;
        if (![a, b, c].some((text) => outcomeOf(text, message) === 'error')) same(message, ...spread);
      }),
      { numRuns: 500 },
    );
  });
});

describe('an operator', () => {
  const values = expressions.map(print).filter((text) => text.length < 150);
  it('says of two values what its opposite denies', () => {
    fc.assert(
      fc.property(values, values, messages, (x, y, message) => {
        same(message, `${x} <> ${y}`, `NOT ${x} = ${y}`);
        same(message, `${x} > ${y}`, `${y} < ${x}`);
        same(message, `${x} <= ${y}`, `${y} >= ${x}`);
        sameUnlessFails(message, `${x} NOT IN (${y})`, `${x} <> ${y}`);
        same(message, `${x} NOT LIKE ${y}`, `NOT ${x} LIKE ${y}`);
      }),
      { numRuns: 1_000 },
    );
  });

  it('IN is an OR of equalities', () => {
    fc.assert(
      fc.property(values, fc.array(values, { minLength: 1, maxLength: 3 }), messages, (x, list, message) => {
        const isIn = `${x} IN (${list.join(', ')})`;
        sameUnlessFails(message, isIn, list.map((y) => `${x} = ${y}`).join(' OR '));
      }),
      { numRuns: 1_000 },
    );
  });
});
