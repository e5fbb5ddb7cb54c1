import { MUTANTS, runSoak } from '@polycast/conformance/soak';
import { describe, expect, test } from 'vitest';

/** Built: participants are processes of their own, and Node 20 cannot run TypeScript. */
const harness = new URL('../dist/conformance.js', import.meta.url).href;
const FOUND_HERE = ['keeps-signals-to-itself', 'throws-where-it-hurts', 'spins-after-a-cut'];

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

  test.each(MUTANTS.filter(({ name }) => FOUND_HERE.includes(name)))(
    'find the mutant $name',
    async (mutant) => {
      const run = {
        harness,
        url: 'redis:',
        local: true,
        seed: 4,
        faults: 300,
        forMs: 60_000,
        lanes: 1,
        shrinkMs: 0,
        bail: true,
      };
      const report = await runSoak({ ...run, mutant: mutant.name });
      const found = Object.keys(report.violations);
      expect(
        found.some((kind) => mutant.caughtBy.some((one) => one === kind)),
        found.join(),
      ).toBe(true);
    },
    120_000,
  );
});
