import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../src/filter/filter.ts';
import { FilterIndex } from '../../src/filter/index/filter-index.ts';
import type { FilterTree } from '../../src/filter/tree.ts';
import { withinCpuMs } from './cpu-time.ts';
import { anyEvents, filterTrees } from './filter-trees.ts';

/** Few texts and numbers, so that filters share them and the index has something to part. */
const words = fc.constantFrom('a', 'b', 'abc', 'abcd', 'xabcx', '', '5', '05', 'true', '-3', '😀', 'abcdefgh', 'zzabc');
const names = fc.constantFrom('type', 'subject', 'region', 'level', 'constructor');
const numbers = fc.oneof(fc.integer({ min: -5, max: 20 }), fc.integer({ min: -1000, max: 1000 }), fc.integer());
const attribute = names.map((name): FilterTree => ({ kind: 'attribute', name }));
const literal = fc.oneof(words, words, numbers, fc.boolean()).map((value): FilterTree => ({ kind: 'literal', value }));
const operator = fc.constantFrom('=' as const, '=' as const, '!=' as const, '<' as const, '<=' as const, '>=' as const);
const pattern = fc.constantFrom('abc%', 'a%', '%c', '%bcd%', '%', '_bc', 'ab%d', '%abc%x', 'abcdef%', '%5');
const one: fc.Arbitrary<FilterTree> = fc.oneof(
  fc.record({ kind: fc.constant('compare' as const), operator, left: attribute, right: literal }),
  fc.record({
    kind: fc.constant('in' as const),
    of: attribute,
    values: fc.array(literal, { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('like' as const), of: attribute, pattern }),
  fc.tuple(names, numbers, fc.nat(300)).map(([name, low, width]): FilterTree => {
    const value = { kind: 'attribute', name } as const;
    const bound = (number: number) => ({ kind: 'literal', value: Math.min(number, 2147483647) }) as const;
    return {
      kind: 'and',
      of: [
        { kind: 'compare', operator: '>=', left: value, right: bound(low) },
        { kind: 'compare', operator: '<=', left: value, right: bound(low + width) },
      ],
    };
  }),
);
const filters: fc.Arbitrary<FilterTree> = fc.oneof(
  { weight: 3, arbitrary: one },
  {
    weight: 6,
    arbitrary: fc.array(one, { minLength: 2, maxLength: 4 }).map((of): FilterTree => ({ kind: 'and', of })),
  },
  { weight: 2, arbitrary: fc.array(one, { minLength: 2, maxLength: 4 }).map((of): FilterTree => ({ kind: 'or', of })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(one, one, one)
      .map(([a, b, c]): FilterTree => ({ kind: 'and', of: [{ kind: 'or', of: [a, b] }, c] })),
  },
);
const events = fc.dictionary(names, fc.oneof(words, words, numbers, fc.boolean()), { noNullPrototype: true });
const steps = <Event>(filter: fc.Arbitrary<FilterTree>, event: fc.Arbitrary<Event>) =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.record({ add: filter, id: fc.nat(150) }) },
      { weight: 2, arbitrary: fc.record({ remove: fc.nat(150) }) },
      { weight: 2, arbitrary: fc.record({ match: event }) },
    ),
    { minLength: 20, maxLength: 250, size: 'max' },
  );

describe('what the index finds is what passes', () => {
  test.each([
    ['few words', steps(filters, events), 400],
    ['anything', steps(filterTrees, anyEvents), 150],
  ] as const)('%s', (_name, history, numRuns) => {
    fc.assert(
      fc.property(history, (done) => {
        const index = new FilterIndex<number>();
        const all = new Map<number, ReturnType<typeof compileFilter>>();
        for (const step of done) {
          if ('add' in step) {
            let filter: ReturnType<typeof compileFilter>;
            try {
              filter = compileFilter(step.add);
            } catch {
              continue;
            }
            all.set(step.id, filter);
            index.add(step.id, step.add);
          } else if ('remove' in step) expect(index.remove(step.remove)).toBe(all.delete(step.remove));
          else {
            const passing = [...all].filter(([, filter]) => filter.matches(step.match)).map(([id]) => id);
            expect(sorted(index.match(step.match))).toEqual(sorted(passing));
          }
        }
        expect(index.size).toBe(all.size);
        for (const id of all.keys()) expect(index.remove(id)).toBe(true);
        expect(index.size).toBe(0);
      }),
      { numRuns },
    );
  });

  const sorted = (ids: number[]) => ids.sort((a, b) => a - b);
});

describe('adding and removing', () => {
  test('an id that is there already gets the new filter', () => {
    const index = new FilterIndex<string>();
    index.add('one', "type = 'a'");
    index.add('one', "type = 'b'");
    expect(index.size).toBe(1);
    expect(index.match({ type: 'a' })).toEqual([]);
    expect(index.match({ type: 'b' })).toEqual(['one']);
    expect(() => index.add('one', 'type =')).toThrow(expect.objectContaining({ code: 'invalid-filter' }) as Error);
    expect(index.match({ type: 'b' })).toEqual(['one']);
  });

  test('filters that no event passes, and that every event does', () => {
    const index = new FilterIndex<string>();
    index.add('never', "type = 'a' AND type = 'b'");
    index.add('always', 'TRUE');
    expect([index.has('never'), index.size, index.match({})]).toEqual([true, 2, ['always']]);
    expect([index.remove('never'), index.remove('never')]).toEqual([true, false]);
    index.clear();
    expect([index.size, index.has('always'), index.match({})]).toEqual([0, false, []]);
  });

  test('while a match is visited: what is removed is not visited, what is added is left for the next', () => {
    const index = new FilterIndex<number>();
    for (let id = 0; id < 100; id++) index.add(id, "type = 'a'");
    const seen: number[] = [];
    index.forEachMatch({ type: 'a' }, (id) => {
      seen.push(id);
      index.remove((id + 1) % 100);
      index.add(100 + id, "type = 'a'");
      if (id % 10 === 0) expect(index.match({ type: 'b' })).toEqual([]);
    });
    expect(seen.length).toBe(50);
    expect(new Set(seen).size).toBe(50);
    expect(index.match({ type: 'a' }).length).toBe(100);
  });

  test('a visitor that matches the same event gets all of it, and the outer match goes on', () => {
    const index = new FilterIndex<number>();
    for (let id = 0; id < 40; id++) index.add(id, `type = 'a' OR level = ${id % 2}`);
    const seen: number[] = [];
    index.forEachMatch({ type: 'a', level: 1 }, (id) => {
      expect(new Set(index.match({ type: 'a', level: 1 })).size).toBe(40);
      seen.push(id);
    });
    expect(new Set(seen).size).toBe(40);
    expect(seen.length).toBe(40);
  });

  test('nothing is left of what is gone: an empty index does not look at the event', () => {
    const index = new FilterIndex<number>();
    const texts = [
      (id: number) => `type = 'a${id}' AND level = ${id}`,
      (id: number) => `level >= ${id} AND level < ${id * 3}`,
      (id: number) => `level > ${id} OR subject LIKE 'a${id}%'`,
      (id: number) => `subject LIKE '%b${id}' AND region IN ('a', 'b', '${id}')`,
      (id: number) => `region LIKE '%abc${id}%' AND level <= ${id}`,
    ];
    for (let round = 0; round < 3; round++) {
      for (let id = 0; id < 3_000; id++) index.add(id, texts[(id + round) % texts.length]!(id));
      for (let id = 0; id < 3_000; id++) index.remove((id * 7) % 3_000);
    }
    let looks = 0;
    const event = new Proxy({}, { get: () => void (looks += 1) });
    expect([index.match(event), index.size, looks]).toEqual([[], 0, 0]);
    index.add(1, "type = 'a'");
    index.match(event);
    expect(looks).toBe(1);
  });

  test('a visitor that throws leaves the index as it was', () => {
    const index = new FilterIndex<number>();
    for (let id = 0; id < 40; id++) index.add(id, "type = 'a'");
    const fail = () => {
      throw new Error('mine');
    };
    expect(() => index.forEachMatch({ type: 'a' }, fail)).toThrow('mine');
    expect(index.match({ type: 'a' }).length).toBe(40);
  });
});

describe('hostile input', () => {
  test('an event whose getters throw', () => {
    const index = new FilterIndex<string>();
    index.add('type', "type = 'a'");
    index.add('level', 'level = 5');
    const event = {
      type: 'a',
      get level(): never {
        throw new Error('no');
      },
    };
    expect(index.match(event)).toEqual(['type']);
    expect(index.match(null as never)).toEqual([]);
  });

  test('lists of fifteen thousand values', () => {
    const index = new FilterIndex<string>();
    const values = Array.from({ length: 15_000 }, (_, at) => `'${at}'`).join(',');
    for (let id = 0; id < 40; id++) index.add(`one ${id}`, `level IN (${values}) AND type = 'a${id}'`);
    withinCpuMs(250, () => {
      expect(index.match({ type: 'a7', level: '14999' })).toEqual(['one 7']);
      expect(index.match({ type: 'a7', level: 'x' })).toEqual([]);
    });
  });

  test('texts of a megabyte', () => {
    const index = new FilterIndex<number>();
    for (let id = 0; id < 2_000; id++) index.add(id, `subject LIKE '%piece${id}x%'`);
    const subject = `${'abcdefg piece'.repeat(80_000)}piece77x`;
    expect(withinCpuMs(500, () => index.match({ subject }))).toEqual([77]);
  });

  test('names that every object has', () => {
    const index = new FilterIndex<number>();
    for (let id = 0; id < 100; id++) index.add(id, `constructor = 'a${id}' AND type = 'valueOf'`);
    expect(index.match({ type: 'valueOf' })).toEqual([]);
    expect(index.match({ type: 'valueOf', constructor: 'a5' } as never)).toEqual([5]);
    for (let id = 0; id < 100; id++) index.add(id, `type = '${['__proto__', 'constructor', 'toString'][id % 3]}'`);
    expect(index.match({ type: '__proto__' }).length).toBe(34);
    expect(index.match({ type: 'hasOwnProperty' })).toEqual([]);
  });
});
