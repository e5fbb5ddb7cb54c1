import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluateFilter } from '../../src/filter/evaluate.ts';

/** See cesql-tck/NOTICE.md. */
interface Suite {
  readonly name: string;
  readonly tests: readonly Case[];
}

interface Case {
  readonly name: string;
  readonly expression: string;
  readonly result?: string | number | boolean;
  readonly error?: string;
  readonly event?: Readonly<Record<string, unknown>>;
  readonly eventOverrides?: Readonly<Record<string, unknown>>;
}

const suites: readonly Suite[] = JSON.parse(readFileSync(new URL('./cesql-tck/tck.json', import.meta.url), 'utf8'));

/**
 * The kit expects a cast error for `NOT 10`, from before integers could be cast to booleans. Section 3.7 of CESQL 1.0 says
 * that they MUST be, so it is false; the Go and the Java SDK say so too.
 */
const OVERRIDDEN: Readonly<Record<string, { value: boolean }>> = { 'NOT 10': { value: false } };

const EVENT = { specversion: '1.0', id: 'an-id', source: '/a/source', type: 'a.type' };

for (const suite of suites) {
  describe(suite.name, () => {
    test.each(suite.tests.map((one) => [one.name, one.expression, one] as const))(
      '%s: %s',
      (_name, _expression, one) => {
        const given = evaluateFilter(one.expression, { ...(one.event ?? EVENT), ...one.eventOverrides });
        const expected = OVERRIDDEN[one.expression] ?? {
          ...(one.result === undefined ? {} : { value: one.result }),
          ...(one.error === undefined ? {} : { error: { code: one.error } }),
        };
        expect(given).toMatchObject(expected);
        expect(given.error === undefined).toBe(!('error' in expected));
      },
    );
  });
}

test('the kit is here whole', () => {
  expect(suites.length).toBe(18);
  expect(suites.flatMap(({ tests }) => tests).length).toBe(275);
});
