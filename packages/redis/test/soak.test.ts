import { MUTANTS, runSoak } from '@polycast/conformance/soak';
import { describe, expect, test } from 'vitest';

/** Built: participants are processes of their own, and Node 20 cannot run TypeScript. */
const harness = new URL('../dist/conformance.js', import.meta.url).href;
const FOUND_HERE = ['keeps-signals-to-itself', 'throws-where-it-hurts', 'spins-after-a-cut'];

describe('histories with faults', () => {
  test('pub/sub keeps its promises', async () => {
    const report = await runSoak({
      harness,
      url: 'redis:',
      local: true,
      seed: 1,
      faults: 60,
      forMs: 15_000,
      lanes: 2,
      shrinkMs: 20_000,
    });
    expect(report.failures, `seed ${report.seed}`).toEqual([]);
  }, 120_000);

  test('the processes of Streams live', async () => {
    const run = {
      harness,
      url: 'redis+streams:',
      local: true,
      seed: 1,
      faults: 60,
      forMs: 15_000,
      lanes: 2,
      shrinkMs: 0,
    };
    const { failures } = await runSoak(run);
    const ended = failures.filter(({ violations }) =>
      violations.some(({ kind }) => kind === 'died' || kind === 'silent' || kind === 'busy'),
    );
    expect(ended).toEqual([]);
  }, 120_000);

  test.each(MUTANTS.filter(({ name }) => FOUND_HERE.includes(name)))(
    'find the mutant $name',
    async (mutant) => {
      const run = {
        harness,
        url: 'redis:',
        local: true,
        seed: 1,
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
