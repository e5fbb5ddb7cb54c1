import { runSoak } from '@polycast/conformance/soak';
import { expect, test } from 'vitest';

/** Built: participants are processes of their own, and Node 20 cannot run TypeScript. */
const harness = new URL('../dist/conformance.js', import.meta.url).href;

test('pub/sub keeps its promises in histories with faults', async () => {
  const report = await runSoak({
    harness,
    url: 'redis:',
    local: true,
    faults: 60,
    forMs: 20_000,
    lanes: 2,
    shrinkMs: 20_000,
  });
  expect(report.failures, `seed ${report.seed}`).toEqual([]);
}, 120_000);
