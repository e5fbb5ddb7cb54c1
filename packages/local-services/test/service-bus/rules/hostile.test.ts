import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FilterEvaluationError, RuleError } from '../../../src/service-bus/rules/index.ts';
import { messageOf, ruleOf } from './messages.ts';
import { messages } from './trees.ts';

const words = fc.constantFrom(
  ...['AND', 'OR', 'NOT', 'IN', 'LIKE', 'ESCAPE', 'IS', 'NULL', 'EXISTS', 'TRUE', 'SET', 'REMOVE', 'sys', 'user', 'p'],
  ...['(', ')', ',', '.', '+', '-', '*', '/', '%', '=', '<', '>', '!', ';', '@', "'", '"', '[', ']', '_', ' ', ' '],
  ...['a', 'x', '1', '0', '9223372036854775808', '1.5', '1e9', "'a'", '[a b]', '@p', 'newid()', '😀', '\0', '\ud83d'],
);
const texts = fc.oneof(
  fc.array(words, { maxLength: 30 }).map((parts) => parts.join(' ')),
  fc.array(words, { maxLength: 30 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }),
);

describe('any text', () => {
  it('is a filter, or a RuleError within it', () => {
    fc.assert(
      fc.property(texts, messages, (text, message) => {
        try {
          const rule = ruleOf(text);
          try {
            expect(typeof rule.matches(message)).toBe('boolean');
          } catch (error) {
            expect(error).toBeInstanceOf(FilterEvaluationError);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RuleError);
          expect((error as RuleError).position).toBeGreaterThanOrEqual(-1);
          expect((error as RuleError).position).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 20_000 },
    );
  });

  it('is an action, or a RuleError', () => {
    fc.assert(
      fc.property(texts, messages, (text, message) => {
        try {
          const rule = ruleOf('1 = 1', `SET ${text}`);
          try {
            rule.apply!(message);
          } catch (error) {
            expect(error).toBeInstanceOf(FilterEvaluationError);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RuleError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('a filter has bounds', () => {
  const outOfRange = expect.objectContaining({ condition: 'com.microsoft:argument-out-of-range' });

  it('1,024 characters', () => {
    expect(() => ruleOf(`a = '${'x'.repeat(1_018)}'`)).not.toThrow();
    expect(() => ruleOf(`a = '${'x'.repeat(1_019)}'`)).toThrow(outOfRange);
    expect(() => ruleOf(' '.repeat(10_000_000))).toThrow(outOfRange);
  });

  it.each([
    ['brackets', `${'('.repeat(500)}a=1${')'.repeat(500)}`],
    ['open brackets', '('.repeat(1_024)],
    ['NOT', `${'NOT '.repeat(250)}a=1`],
    ['signs', `${'-'.repeat(1_000)}a=1`],
    ['calls', `${'p('.repeat(300)}a${')'.repeat(300)}=1`],
  ])('a hundred levels of %s', (_, text) => {
    expect(() => ruleOf(text)).toThrow(expect.objectContaining({ message: expect.stringContaining('100 levels') }));
  });

  it('a hundred levels are read, and long chains are no levels', () => {
    expect(ruleOf(`${'('.repeat(100)}a=1${')'.repeat(100)}`).matches(messageOf({ a: 1n }))).toBe(true);
    expect(ruleOf(`${'a+'.repeat(500)}a=501`).matches(messageOf({ a: 1n }))).toBe(true);
    expect(ruleOf(`${'a=0 OR '.repeat(140)}a=1`).matches(messageOf({ a: 1n }))).toBe(true);
  });

  it('quotes little of what it refuses, and nothing of a message', () => {
    expect(() => ruleOf(`a = 1 ${'x'.repeat(1_000)}`)).toThrow(/^.{0,160}$/);
    expect(() => ruleOf('a / 0 = 1').matches(messageOf({ a: 7_777n }))).toThrow(/^(?!.*7777)/);
    expect(() => ruleOf('p(a) = 1').matches(messageOf({ a: `sys.${'x'.repeat(30_000)}` }))).toThrow(/^.{0,160}$/);
  });

  it('does not find what objects inherit', () => {
    expect(ruleOf('[__proto__] IS NULL AND constructor IS NULL').matches(messageOf())).toBe(true);
    expect(ruleOf('1 = 1', 'SET [__proto__] = 1').apply!(messageOf()).user).toEqual(new Map([['__proto__', 1n]]));
    expect(() => ruleOf('sys.constructor IS NULL').matches({ ...messageOf(), system: () => undefined })).toThrow(
      FilterEvaluationError,
    );
  });
});
