import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { bundleSimulation } from './bundle.mjs';

/** A thread that has not returned to its loop for this long of real time never will, ms. */
const STUCK_AFTER_MS = 30_000;

// The engine takes what lives as long as a history for long-lived, and keeps with it all that it refers to: a fifth of the time.
setFlagsFromString('--no-allocation-site-pretenuring');

/**
 * Plays the histories of many seeds in worker threads.
 *
 * @param {object} options
 * @param {readonly number[]} options.seeds the first seed of each thread; each goes on from there
 * @param {number} options.histories most histories in all
 * @param {number} options.budgetMs longest run of each thread
 * @param {readonly string[]} [options.only] rules that are looked at; left out: all
 * @param {number} [options.failures] most failures looked for by each thread
 * @param {boolean} [options.isRace] the first failure of any thread ends all of them, and is not shrunk
 * @param {{ module: string, from: string, to: string }[]} [options.patches] changes to core: a mutant
 * @returns {Promise<{ histories: number, failures: import('../src/simulation/simulate.ts').Failure[], stuckAt: number[] }>}
 */
export async function runSimulation({ seeds, histories, budgetMs, only, failures = 1, isRace = false, patches = [] }) {
  const folder = await mkdtemp(join(tmpdir(), 'polycast-simulation-'));
  const module = join(folder, 'simulation.mjs');
  try {
    await writeFile(module, await (patches.length === 0 ? soundBundle() : bundleSimulation(patches)));
    const sound = patches.length === 0 ? undefined : join(folder, 'sound.mjs');
    if (sound !== undefined) await writeFile(sound, await soundBundle());
    const limit = Math.ceil(histories / seeds.length);
    const race = new AbortController();
    const runs = seeds.map((first) => {
      const data = {
        module: pathToFileURL(module).href,
        sound: sound === undefined ? undefined : pathToFileURL(sound).href,
        first,
        limit,
        budgetMs,
        only,
        stopsAt: failures,
        shrinks: !isRace,
      };
      const run = runThread(data, race.signal);
      return isRace ? run.finally(() => race.abort()) : run;
    });
    const done = await Promise.all(runs);
    return {
      histories: done.reduce((sum, { count }) => sum + count, 0),
      failures: done.flatMap((one) => one.failures),
      stuckAt: done.flatMap(({ stuckAt }) => (stuckAt === undefined ? [] : [stuckAt])),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

let bundled;

/** Core as it is, made once. */
function soundBundle() {
  bundled ??= bundleSimulation();
  return bundled;
}

/** @param {AbortSignal} race aborted when another thread has found what is looked for */
function runThread(data, race) {
  const progress = new SharedArrayBuffer(24);
  const seen = new BigInt64Array(progress);
  const worker = new Worker(new URL('worker.mjs', import.meta.url), {
    workerData: { ...data, progress },
    // Histories are short-lived: most of what they make dies young.
    resourceLimits: { maxYoungGenerationSizeMb: 64 },
  });
  return new Promise((resolve, reject) => {
    const failures = [];
    let last = -1n;
    let since = performance.now();
    const watch = setInterval(() => {
      if (seen[2] !== last) {
        last = seen[2];
        since = performance.now();
      } else if (performance.now() - since > STUCK_AFTER_MS) end({ stuckAt: Number(seen[1]) });
    }, 500);
    race.addEventListener('abort', () => end({}));
    const end = (result) => {
      clearInterval(watch);
      resolve({ count: Number(seen[0]), failures, stuckAt: undefined, ...result });
      void worker.terminate();
    };
    worker.on('message', ({ failure, count }) => {
      if (failure !== undefined) failures.push(failure);
      else end({ count });
    });
    // With nothing left to do, in the middle of a history.
    worker.on('exit', () => end({ stuckAt: Number(seen[1]) }));
    worker.on('error', (error) => {
      clearInterval(watch);
      reject(new Error(`the simulation ended at seed ${seen[1]}`, { cause: error }));
    });
  });
}
