import { MUTANTS, runSoak } from '@polycast/conformance/soak';
import { expect, test } from 'vitest';

/** Built: participants are processes of their own, and Node 20 cannot run TypeScript. */
const harness = new URL('../dist/conformance.js', import.meta.url).href;

test('in histories with faults Service Bus keeps its promises', async () => {
  const run = { harness, url: 'service-bus:', local: true, seed: 1, faults: 60, forMs: 20_000, lanes: 2, shrinkMs: 0 };
  const report = await runSoak(run);
  expect(report.failures, `seed ${report.seed}`).toEqual([]);
}, 120_000);

test('they find the mutant reverses-batches', async () => {
  const mutant = MUTANTS.find(({ name }) => name === 'reverses-batches')!;
  // Its first history shows it.
  const seed = 506_952_112;
  const run = { harness, url: 'service-bus:', local: true, seed, faults: 300, forMs: 120_000, lanes: 1, shrinkMs: 0 };
  const report = await runSoak({ ...run, bail: true, mutant: mutant.name });
  expect(Object.keys(report.violations)).toEqual(expect.arrayContaining([...mutant.caughtBy]));
}, 200_000);
