import { parentPort, workerData } from 'node:worker_threads';

const { module, sound, first, limit, budgetMs, only, progress, stopsAt, shrinks } = workerData;
// What this thread does now, for the one that started it: a thread that never returns to its loop cannot be asked.
// How many histories, the seed of the present one, a heartbeat: making a failure short may take long.
const seen = new BigInt64Array(progress);
setInterval(() => {
  seen[2]++;
}, 500).unref();
const { historyOf, ruleOf, simulate, trySeed } = await import(module);
const soundly = sound === undefined ? undefined : await import(sound);
// Errors are made by the thousand here, and nobody reads where.
Error.stackTraceLimit = limit === 1 ? 10 : 0;
const untilMs = performance.now() + budgetMs;
const isLookedAt = (rule) => only === undefined || only.includes(rule);
/** A rule that core breaks in this history without the mutant says nothing of it. */
const isSound = async (seed) =>
  soundly === undefined || !(await soundly.simulate(historyOf(seed))).some((finding) => isLookedAt(ruleOf(finding)));
const isBroken = async (seed) => (await simulate(historyOf(seed))).some((finding) => isLookedAt(ruleOf(finding)));
let count = 0;
let failures = 0;
for (let seed = first; count < limit && performance.now() < untilMs && failures < stopsAt; seed++) {
  seen[1] = BigInt(seed);
  const failure =
    (await isBroken(seed)) && (await isSound(seed)) ? await trySeed(seed, isLookedAt, shrinks) : undefined;
  seen[0] = BigInt(++count);
  if (failure === undefined) continue;
  failures++;
  parentPort.postMessage({ failure });
}
parentPort.postMessage({ count });
