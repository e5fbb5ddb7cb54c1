import { calibrate, cpuUs } from '../measurement/calibration.ts';
import { fillingFor, makeOrder } from '../workload.ts';
import type { CodecFigures, CodecWorkload } from './codec-suite.ts';
import type { CodecContender } from './contender.ts';

/** One codec with one size of data, in a process of its own. Arguments: name, bytes, workload. */
const [name, size, workloadText] = process.argv.slice(2) as [string, string, string];
const workload = JSON.parse(workloadText) as CodecWorkload;
const { contender } = (await import(`../contenders/codec/${name}.js`)) as { contender: CodecContender };
const filling = fillingFor(Number(size));
const CHUNK = 50;
let number = 0;

const sample = contender.encode(makeOrder(1, filling), 1);
if (!name.startsWith('limit')) {
  const decoded = contender.decode(sample);
  const back = JSON.stringify(contender.dataOf?.(decoded) ?? decoded);
  if (back !== JSON.stringify(makeOrder(1, filling)))
    throw new Error(`${name} does not give back what went in: ${back}`);
}

const both = () => contender.decode(contender.encode(makeOrder(number, filling), number++));
const encodeOnly = () => contender.encode(makeOrder(number, filling), number++);
const decodeOnly = () => contender.decode(sample);
perSecond(both, workload.warmUpMs);
const figures: CodecFigures = { bytes: sample.length, both: [], encode: [], decode: [] };
for (let at = 0; at < workload.samples; at += 1) {
  for (const [kind, work] of [
    ['both', both],
    ['encode', encodeOnly],
    ['decode', decodeOnly],
  ] as const) {
    const before = calibrate();
    const value = perSecond(work, workload.sampleMs);
    figures[kind].push({ value, calibrationUs: (before + calibrate()) / 2 });
  }
}
process.send!(figures);

function perSecond(work: () => unknown, ms: number): number {
  const startUs = cpuUs();
  let done = 0;
  let usedUs = 0;
  while (usedUs < ms * 1000) {
    for (let at = 0; at < CHUNK; at += 1) if (work() === undefined) throw new Error('nothing came of it');
    done += CHUNK;
    usedUs = cpuUs() - startUs;
  }
  return (done / usedUs) * 1e6;
}
