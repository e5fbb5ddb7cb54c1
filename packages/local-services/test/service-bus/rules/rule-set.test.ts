import { describe, expect, it } from 'vitest';
import { FilterEvaluationError, RuleSet } from '../../../src/service-bus/rules/index.ts';
import { messageOf, ruleOf } from './messages.ts';

function setOf(...rules: [filter: string, action?: string][]): RuleSet {
  const set = new RuleSet();
  for (const [at, [filter, action]] of rules.entries()) set.add(ruleOf(filter, action, `rule-${at}`));
  return set;
}
const message = messageOf({ colour: 'red', n: 1n });
const set = (entries: Record<string, unknown>) => ({ system: new Map(), user: new Map(Object.entries(entries)) });

describe('the rules of a subscription', () => {
  it('make one copy together when none has an action', () => {
    expect(setOf(["colour = 'red'"], ['n = 1'], ['n = 2']).match(message)).toEqual([{}]);
  });

  it('make a copy more for each that matches and has one', () => {
    // The example of the vendor's page: five rules, two of them with actions, make three copies.
    const five = setOf(['1 = 1'], ['1 = 1', 'SET a = 1'], ['n = 1'], ['n = 1', 'SET a = 2 REMOVE n'], ['n > 0']);
    expect(five.match(message)).toEqual([
      {},
      { rule: 'rule-1', changes: set({ a: 1n }) },
      { rule: 'rule-3', changes: set({ a: 2n, n: null }) },
    ]);
    expect(setOf(['n = 1', 'SET a = 1'], ['n = 2']).match(message)).toEqual([
      { rule: 'rule-0', changes: set({ a: 1n }) },
    ]);
  });

  it('make nothing when none matches, or there is none', () => {
    expect(setOf(['n = 2'], ['none = 1', 'SET a = 1']).match(message)).toEqual([]);
    expect(setOf().match(message)).toEqual([]);
  });

  it('tell which could not be evaluated, and the others match', () => {
    const rules = setOf(['sys.Body = 1'], ['n = 1'], ['n = 1', 'SET a = n / 0'], ['n = 1', 'SET a = 1']);
    const told: [string, string][] = [];
    const matched = rules.match(message, (error, rule) => told.push([rule.description.name, error.message]));
    expect(matched).toEqual([{}, { rule: 'rule-3', changes: set({ a: 1n }) }]);
    expect(told).toEqual([
      ['rule-0', "There is no system property 'body'."],
      ['rule-2', 'An integer is divided by zero.'],
    ]);
    expect(() => rules.match(message)).toThrow(FilterEvaluationError);
  });

  it('pass on what is no matter of rules', () => {
    const broken = { ...message, user: () => ([] as string[])[0]!.length as never };
    expect(() => setOf(['n = 1']).match(broken, () => {})).toThrow(TypeError);
  });

  it('have names that compare without case', () => {
    const rules = setOf(['n = 1'], ['n = 2']);
    expect(rules.add(ruleOf('n = 3', undefined, 'RULE-0'))).toBe(false);
    expect(rules.get('Rule-1')?.description.name).toBe('rule-1');
    expect(rules.remove('RULE-0')?.description.name).toBe('rule-0');
    expect(rules.remove('rule-0')).toBeUndefined();
    expect(rules.list().map(({ description }) => description.name)).toEqual(['rule-1']);
    expect(rules.size).toBe(1);
  });
});
