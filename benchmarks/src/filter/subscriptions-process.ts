import { connect } from '@polycast/core';
import { memory } from '@polycast/memory';
import { calibrate, cpuUs, type Sample } from '../measurement/calibration.ts';
import type { FilterWorkload } from './filter-suite.ts';

/** Publishes a second to many subscriptions with filters. Arguments: `polycast` or `limit-map`, workload. */
export interface SubscriptionFigures {
  readonly rates: Sample[];
}

const [contender, workloadText] = process.argv.slice(2) as [string, string];
const workload = JSON.parse(workloadText) as FilterWorkload;
const { subscriptions, regions } = workload;
const reachedEach = subscriptions / regions;
const BATCH = 200;
let handled = 0;
const handledBy = new Int32Array(subscriptions);
/**
 * A handler of its own for each subscription, of four kinds: those of a program stand in many places of it, so that the
 * engine cannot put the one that there is into the loop that calls it.
 */
function handler(at: number): (given: unknown) => void {
  const kind = Math.floor(at / regions) % 4;
  if (kind === 0) {
    return () => {
      handledBy[at]! += 1;
      handled += 1;
    };
  }
  if (kind === 1) {
    return (given) => {
      if (given !== undefined) handledBy[at]! += 1;
      handled += 1;
    };
  }
  if (kind === 2) {
    return () => {
      handled += 1;
      handledBy[at]! += 1;
    };
  }
  return (given) => {
    handled += given === undefined ? 0 : 1;
    handledBy[at] = handledBy[at]! + 1;
  };
}

const publish = contender === 'polycast' ? await polycast() : map();
await rate(workload.warmUpMs);
const rates: Sample[] = [];
for (let at = 0; at < workload.samples; at += 1) {
  const before = calibrate();
  const value = await rate(workload.sampleMs);
  rates.push({ value, calibrationUs: (before + calibrate()) / 2 });
}
if (new Set(handledBy).size > 1) throw new Error('some subscriptions got more events than others');
process.send!({ rates } satisfies SubscriptionFigures);

async function polycast(): Promise<(region: string) => Promise<unknown>> {
  const options = { transport: memory(), topic: 'orders' };
  const listener = await connect({ ...options, self: { role: 'kitchen' } });
  const publisher = await connect({ ...options, self: { role: 'till' } });
  for (let at = 0; at < subscriptions; at += 1) {
    await listener.subscribe(handler(at), {
      filter: `type = 'order.moved' AND region = 'r${at % regions}'`,
    });
  }
  return (region) => publisher.publish({ type: 'order.moved', region });
}

function map(): (region: string) => Promise<unknown> {
  const byRegion = new Map<string, ((event: object) => void)[]>();
  for (let at = 0; at < subscriptions; at += 1) {
    const list = byRegion.get(`r${at % regions}`);
    if (list === undefined) byRegion.set(`r${at % regions}`, [handler(at)]);
    else list.push(handler(at));
  }
  return async (region) => {
    const event = { type: 'order.moved', region };
    for (const one of byRegion.get(region)!) one(event);
  };
}

async function rate(ms: number): Promise<number> {
  const startUs = cpuUs();
  let done = 0;
  let usedUs = 0;
  while (usedUs < ms * 1000) {
    const expected = handled + BATCH * reachedEach;
    for (let at = 0; at < BATCH; at += 1) await publish(`r${at % regions}`);
    for (let turn = 0; handled < expected; turn += 1) {
      if (turn > 100_000) throw new Error(`only ${handled} of ${expected} events were handled`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (handled > expected) throw new Error('events reached subscriptions whose filter they do not pass');
    done += BATCH;
    usedUs = cpuUs() - startUs;
  }
  return (done / usedUs) * 1e6;
}
