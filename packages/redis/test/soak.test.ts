import { MUTANTS, runSoak } from '@polycast/conformance/soak';
import { describe, expect, test } from 'vitest';

/** Built: participants are processes of their own, and Node 20 cannot run TypeScript. */
const harness = new URL('../dist/conformance.js', import.meta.url).href;
/** Each with a seed whose first history shows it. */
const FOUND_HERE = { 'keeps-signals-to-itself': 506_952_117, 'throws-where-it-hurts': 4, 'spins-after-a-cut': 4 };

describe('histories with faults', () => {
  // Faults in plenty are for a run of its own (`polycast conform --soak`); of these few none may break a promise.
  test.each(['redis:', 'redis+streams:'])(
    'keep what %s promises',
    async (url) => {
      const { failures } = await runSoak({
        harness,
        url,
        local: true,
        seed: 1,
        faults: 100,
        forMs: 25_000,
        lanes: 2,
        shrinkMs: 0,
      });
      expect(failures.map(({ seed, violations }) => ({ seed, violations }))).toEqual([]);
    },
    120_000,
  );

  test.each(Object.entries(FOUND_HERE))(
    'find the mutant %s',
    async (name, seed) => {
      const mutant = MUTANTS.find((one) => one.name === name)!;
      const run = {
        harness,
        url: 'redis:',
        local: true,
        seed,
        faults: 300,
        forMs: 120_000,
        lanes: 1,
        shrinkMs: 0,
        bail: true,
      };
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
