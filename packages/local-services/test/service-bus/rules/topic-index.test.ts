import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CompiledRule,
  type FilterDescription,
  type Matched,
  type RuleMessage,
  RuleSet,
  TimeSpan,
  TopicIndex,
} from '../../../src/service-bus/rules/index.ts';
import { messageOf, ruleOf, sql, type Values } from './messages.ts';
import { messages, predicates, print } from './trees.ts';

interface Seen {
  readonly matched: ReadonlyMap<number, readonly Matched[]>;
  readonly errors: ReadonlyMap<number, readonly string[]>;
}

/** Neither subscriptions nor the copies of one come in a promised order. */
function sorted(copies: readonly Matched[]): readonly Matched[] {
  return copies.toSorted((one, other) => ((one.rule ?? '') < (other.rule ?? '') ? -1 : 1));
}

function byIndex(index: TopicIndex<number>, message: RuleMessage): Seen {
  const errors = new Map<number, string[]>();
  const matched = index.match(message, (key, _, { description }) => {
    errors.set(key, [...(errors.get(key) ?? []), description.name].toSorted());
  });
  return { matched: new Map([...matched].map(([key, copies]) => [key, sorted(copies)])), errors };
}

/** The same, each rule of each subscription by itself. */
function bySets(sets: ReadonlyMap<number, RuleSet>, message: RuleMessage): Seen {
  const matched = new Map<number, readonly Matched[]>();
  const errors = new Map<number, readonly string[]>();
  for (const [key, set] of sets) {
    const names: string[] = [];
    const copies = set.match(message, (_, { description }) => names.push(description.name));
    if (copies.length > 0) matched.set(key, sorted(copies));
    if (names.length > 0) errors.set(key, names.toSorted());
  }
  return { matched, errors };
}

const values = fc.constantFrom("'a'", "'b'", '1', '1.0', '2', 'TRUE', 'NULL', 'b');
const names = fc.constantFrom('a', 'A', 'b', 'sys.To', 'sys.Label', 'sys.Subject', 'sys.Body');
const equality = fc.tuple(names, values).map(([name, value]) => `${name} = ${value}`);
const term = fc.oneof(
  { weight: 4, arbitrary: equality },
  fc.tuple(values, names).map(([value, name]) => `${value} = ${name}`),
  {
    weight: 2,
    arbitrary: fc
      .tuple(names, fc.array(values, { minLength: 1, maxLength: 3 }))
      .map(([name, list]) => `${name} IN (${list})`),
  },
  fc.constantFrom(
    'a <> 1',
    "b NOT IN ('a')",
    'a / 0 = 1',
    'b IS NULL',
    'size > 0',
    "p('a') = 1",
    'a / 2 = 0',
    "a LIKE '%'",
    'a + b = 2',
    'a LIKE b',
  ),
);
const terms = fc.array(term, { minLength: 1, maxLength: 3 });
const filter: fc.Arbitrary<FilterDescription> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(terms, { minLength: 1, maxLength: 2 })
      .map((all) => sql(all.map((some) => some.join(' AND ')).join(' OR '))),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(terms, { minLength: 1, maxLength: 2 })
      .map((all) => sql(all.map((some) => `(${some.join(' OR ')})`).join(' AND '))),
  },
  { weight: 1, arbitrary: predicates.map((tree) => sql(print(tree))) },
  { weight: 1, arbitrary: fc.constantFrom<FilterDescription>({ kind: 'true' }, { kind: 'false' }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('a', 'b', 'role:kitchen'),
        fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('a', 1n, 1, true)),
      )
      .map(
        ([to, properties]) => ({ kind: 'correlation', to, properties: new Map(Object.entries(properties)) }) as const,
      ),
  },
);
const action = fc.constantFrom(undefined, undefined, 'SET x = a', 'SET x = 1 / 0');
const steps = fc.array(
  fc.record({ key: fc.nat(5), name: fc.constantFrom('r', 's', 'T', 't'), filter, action, remove: fc.nat(3) }),
  { minLength: 1, maxLength: 12 },
);
const near = fc
  .dictionary(fc.constantFrom('a', 'b', 'B', 'size'), fc.constantFrom('a', 'b', 1n, 1, 2, true, null, Number.NaN))
  .chain((user) => fc.constantFrom('a', 'b', 'role:kitchen', '').map((to) => messageOf(user, { to, label: to })));

describe('the index of a topic', () => {
  it('says what the rules of each subscription say, whatever was added and removed', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.oneof(near, messages), { minLength: 1, maxLength: 4 }), (steps, messages) => {
        const index = new TopicIndex<number>();
        const sets = new Map<number, RuleSet>(Array.from({ length: 6 }, (_, key) => [key, new RuleSet()]));
        for (const { key, name, filter, action, remove } of steps) {
          const rule = ruleOf(filter, action, name);
          const set = sets.get(key)!;
          expect(index.add(key, rule)).toBe(set.add(rule));
          if (remove === 0) expect(index.remove(key, name)).toBe(set.remove(name) !== undefined);
          if (remove === 1) expect(index.remove(key + 1, name)).toBe(sets.get(key + 1)?.remove(name) !== undefined);
          if (remove === 2 && key === 0) {
            index.delete(key);
            sets.set(key, new RuleSet());
          }
        }
        for (const message of messages) expect(byIndex(index, message)).toEqual(bySets(sets, message));
        for (const [key, set] of sets) {
          expect(index.list(key).map(nameOf)).toEqual(set.list().map(nameOf));
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it.each<[string, RuleMessage]>([
    ["b + b = 'x'", messageOf({ b: 'x'.repeat(20_000) })],
    ['b - @span < b', messageOf({ b: new Date(-8.64e15) })],
    ['p(b) = 1', messageOf({ b: 'sys.Body' })],
    ['1 / b = 1', messageOf({ b: 0n })],
    ['-1 % (b * 1) = 1', messageOf({ b: 0n })],
    ['b / -1 = 1', messageOf({ b: -(2n ** 63n) })],
    ['b LIKE b', messageOf({ b: 'x'.repeat(2_000) })],
    ["b LIKE 'x' ESCAPE b", messageOf({ b: 'xx' })],
    ['NOT (sys.Body IS NULL)', messageOf()],
    ["sys.Body IN ('x')", messageOf()],
  ])('does not pass over that %s fails', (failing, message) => {
    const rule = ruleOf(sql(`a = 1 AND ${failing}`, new Map([['span', TimeSpan.ofMs(1)]])));
    const set = new RuleSet();
    const index = new TopicIndex<number>();
    set.add(rule);
    index.add(1, rule);
    expect(byIndex(index, message)).toEqual({ matched: new Map(), errors: new Map([[1, ['rule']]]) });
    expect(bySets(new Map([[1, set]]), message)).toEqual(byIndex(index, message));
  });

  it('asks of a message what matches it, not all that there is', () => {
    const index = new TopicIndex<number>();
    const rules: ((n: number) => FilterDescription)[] = [
      (n) => sql(`user.cloudEvents_to = 'instance:${n}'`),
      (n) => sql(`user.cloudEvents_to IN ('instance:${n}', 'role:${n % 10}') AND user.cloudEvents_source <> 'me'`),
      (n) => sql(`size > 3 AND (sys.To = '${n}' OR sys.Label IN ('${n}', 'x${n}')) AND size / 10 + 1 = 2`),
      (n) => ({ kind: 'correlation', to: `${n}` }),
      (n) => ({ kind: 'correlation', label: 'order', properties: new Map([['n', BigInt(n)]]) }),
    ];
    for (let n = 0; n < 2_000; n++) index.add(n, ruleOf(rules[n % rules.length]!(n)));
    const asked = (message: ReturnType<typeof messageOf>) => {
      const keys = [...index.match(message).keys()].toSorted((one, other) => one - other);
      return { keys, asked: message.asked };
    };
    const few = asked(
      messageOf({ cloudEvents_to: 'instance:1001', cloudEvents_source: 'you', n: 4n }, { to: '1003', label: 'x1002' }),
    );
    expect(few.keys).toEqual([1001, 1003]);
    expect(few.asked).toBeLessThan(20);
    const role = asked(messageOf({ cloudEvents_to: 'role:1', cloudEvents_source: 'you' }));
    expect(role.keys).toHaveLength(200);
    expect(role.asked).toBeLessThan(600);
  });

  it('tells patterns apart, and what denies one from what asks for it', () => {
    const filters = [
      "a LIKE 'x%'",
      "a LIKE '%y'",
      "a LIKE '!%y' ESCAPE '!'",
      "a LIKE '!%y' ESCAPE '?'",
      "a LIKE '!%y'",
      "a NOT LIKE 'x%'",
      "a LIKE 'x%' ESCAPE 'x'",
      'a IS NULL',
      'a IS NOT NULL',
      "a IN ('xy', NULL)",
    ];
    const index = new TopicIndex<number>();
    const sets = new Map(filters.map((_, key) => [key, new RuleSet()]));
    for (const [key, filter] of filters.entries()) {
      index.add(key, ruleOf(filter));
      sets.get(key)!.add(ruleOf(filter));
    }
    const values = ['xy', '%y', '!zy', '%', 'x', '', 5n, null];
    for (const message of [...values.map((a) => messageOf({ a })), messageOf()]) {
      expect(byIndex(index, message)).toEqual(bySets(sets, message));
    }
    for (const key of sets.keys()) index.remove(key, 'rule');
    expect(index.match(messageOf({ a: 'xy' })).size).toBe(0);
  });

  it('asks so of the rules that the adapter makes', () => {
    const index = new TopicIndex<number>();
    for (let n = 0; n < 2_000; n++) {
      const to = 'user.cloudEvents_to';
      const own = `(user.link IS NULL OR user.link <> 'link-${n}' OR user.cloudEvents_carboncopy = TRUE)`;
      const several = `${to} LIKE '%,%' AND (${to} LIKE '%role:${n % 10}%' OR ${to} LIKE '%instance:i${n}%')`;
      const rule = `${own} AND (${to} IS NULL OR ${to} IN ('role:${n % 10}', 'instance:i${n}') OR ${several})`;
      index.add(n, ruleOf(n % 2 === 0 ? rule : `${rule} AND (user.cloudEvents_type = 'type-${n}')`));
    }
    const found = (user: Values) => {
      const message = messageOf({ link: 'another', cloudEvents_type: 'type-5', ...user });
      return { keys: [...index.match(message).keys()], asked: message.asked };
    };
    const one = found({ cloudEvents_to: 'instance:i1000' });
    expect(one.keys).toEqual([1000]);
    expect(one.asked).toBeLessThan(20);
    expect(found({ cloudEvents_to: 'instance:i5' }).keys).toEqual([5]);
    expect(found({ cloudEvents_to: 'instance:i8,instance:i6' }).keys).toEqual([6, 8]);
    const all = found({});
    expect(all.keys).toHaveLength(1_001);
    expect(all.asked).toBeLessThan(5_000);
  });

  it('keeps apart what one rule does in several subscriptions', () => {
    const index = new TopicIndex<string>();
    const rule = ruleOf('a = 1', 'SET b = 2');
    index.add('one', rule);
    index.add('two', rule);
    index.remove('one', 'RULE');
    expect([...index.match(messageOf({ a: 1n })).keys()]).toEqual(['two']);
    expect(index.get('two', 'Rule')?.description).toBe(rule.description);
    expect(index.get('one', 'Rule')).toBeUndefined();
    expect(index.remove('one', 'rule')).toBe(false);
  });

  it('throws what nobody is told of', () => {
    const index = new TopicIndex<string>();
    index.add('one', ruleOf('sys.Body = 1'));
    expect(() => index.match(messageOf())).toThrow("There is no system property 'body'.");
  });
});

function nameOf({ description }: CompiledRule): string {
  return description.name;
}
