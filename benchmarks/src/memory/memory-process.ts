import { calibrate, cpuUs, type Sample } from '../measurement/calibration.ts';
import { fillingFor, makeOrder } from '../workload.ts';
import type { MemoryContender, OpenBus } from './contender.ts';
import type { MemoryWorkload } from './memory-suite.ts';

/** One contender with one number of subscribers, in a process of its own. Arguments: name, subscribers, workload. */
const [name, count, workloadText] = process.argv.slice(2) as [string, string, string];
const subscribers = Number(count);
const workload = JSON.parse(workloadText) as MemoryWorkload;
const { contender } = (await import(`../contenders/memory/${name}.js`)) as { contender: MemoryContender };

let delivered = 0;
const bus = await contender.open(subscribers, () => {
  delivered += 1;
});
const data = makeOrder(1, fillingFor(workload.payloadBytes));
/** Time is looked at once a chunk: looking costs as much as a few publishes. */
const chunk = Math.max(1, Math.ceil(200 / subscribers));

await publishFor(bus, workload.warmUpMs);
const samples: Sample[] = [];
let before = calibrate();
for (let sample = 0; sample < workload.samples; sample += 1) {
  delivered = 0;
  const { published, usedUs } = await publishFor(bus, workload.sampleMs);
  const after = calibrate();
  // What is still on its way belongs to the sample; what never comes is a broken contender.
  for (let turn = 0; turn < 1_000 && delivered < published * subscribers; turn += 1)
    await new Promise((r) => setImmediate(r));
  if (delivered !== published * subscribers)
    throw new Error(`${published * subscribers} expected, ${delivered} delivered`);
  samples.push({ value: (published / usedUs) * 1e6, calibrationUs: (before + after) / 2 });
  bus.tidy?.();
  before = calibrate();
}
process.send!(samples);

async function publishFor({ publish }: OpenBus, ms: number): Promise<{ published: number; usedUs: number }> {
  const startUs = cpuUs();
  let published = 0;
  while (cpuUs() - startUs < ms * 1000) {
    if (contender.awaited) for (let at = 0; at < chunk; at += 1) await publish(data);
    else for (let at = 0; at < chunk; at += 1) publish(data);
    published += chunk;
  }
  return { published, usedUs: cpuUs() - startUs };
}
