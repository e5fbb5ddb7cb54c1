import { runSoak } from '@polycast/conformance/soak';
import { expect, test } from 'vitest';

/** Built: participants are processes of their own, and Node 20 cannot run TypeScript. */
const harness = new URL('../dist/conformance.js', import.meta.url).href;

test('in histories with faults the processes live', async () => {
  const run = { harness, url: 'service-bus:', local: true, seed: 1, faults: 60, forMs: 20_000, lanes: 2, shrinkMs: 0 };
  const { failures } = await runSoak(run);
  const ended = failures.filter(({ violations }) =>
    violations.some(({ kind }) => kind === 'died' || kind === 'silent' || kind === 'busy'),
  );
  expect(ended).toEqual([]);
}, 120_000);
