import { MUTANTS, runSoak } from '@polycast/conformance/soak';
import { describe, expect, test } from 'vitest';

/** Built: participants are processes of their own, and Node 20 cannot run TypeScript. */
const harness = new URL('../dist/conformance.js', import.meta.url).href;
/** Each with a seed whose first history shows it. */
const FOUND_HERE = {
  'forgets-a-batch': 1,
  'retries-out-of-order': 1,
  'accepts-before-handling': 387_276_916,
  'never-redelivers': 387_276_916,
  'counts-attempts-twice': 2_027_808_453,
  'cries-wolf': 1,
};

describe('histories with faults', () => {
  test('memory keeps its promises', async () => {
    const report = await runSoak({
      harness,
      url: 'memory:',
      seed: 1,
      faults: 60,
      forMs: 10_000,
      lanes: 2,
      shrinkMs: 20_000,
    });
    expect(report.failures, `seed ${report.seed}`).toEqual([]);
  }, 120_000);

  test('a failure shows its seed, and the shortest part of its history', async () => {
    const run = {
      harness,
      url: 'memory:',
      seed: 1,
      faults: 300,
      forMs: 60_000,
      lanes: 1,
      shrinkMs: 10_000,
      bail: true,
    };
    const { failures } = await runSoak({ ...run, mutant: 'forgets-a-batch' });
    const [failure] = failures;
    expect(failure).toMatchObject({ seed: expect.any(Number), reproduced: true });
    expect(failure?.steps.length).toBeLessThan(failure?.of ?? 0);
    expect(failure?.violations.map(({ kind }) => kind)).toContain('unannounced');
  }, 120_000);

  test('one history alone shows what it leaves in its processes', async () => {
    const run = { harness, url: 'memory:', seed: 7, faults: 1, forMs: 60_000, lanes: 1, shrinkMs: 0 };
    const { failures } = await runSoak({ ...run, mutant: 'leaves-a-timer' });
    expect(failures.flatMap(({ violations }) => violations)).toEqual([
      {
        kind: 'residue',
        message: expect.stringMatching(
          /^process \d+ had left everything and did not end, after the histories 7: kept by a timer made at .*closeLink/,
        ),
      },
    ]);
  }, 60_000);

  // They wait more than they work.
  test.concurrent.each(Object.entries(FOUND_HERE))(
    'find the mutant %s',
    async (name, seed) => {
      const mutant = MUTANTS.find((one) => one.name === name)!;
      const run = { harness, url: 'memory:', seed, faults: 300, forMs: 120_000, lanes: 1, shrinkMs: 0, bail: true };
      const report = await runSoak({ ...run, mutant: name });
      const found = Object.keys(report.violations);
      expect(
        found.some((kind) => mutant.caughtBy.some((one) => one === kind)),
        found.join(),
      ).toBe(true);
    },
    200_000,
  );
});
