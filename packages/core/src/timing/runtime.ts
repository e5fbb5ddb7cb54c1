import type { Timer } from './timer.ts';

/**
 * Where a broadcaster gets time, timers and chance from. Every part of core asks its own runtime and nothing else, so that a
 * simulation can run a whole broadcaster on a clock that it turns and dice that it throws.
 */
export interface Runtime {
  /** The wall clock, epoch ms: what is written into events. It may jump. */
  wallMs(): number;
  /** A clock that never jumps, ms: what durations and deadlines are measured with. */
  nowMs(): number;
  /** Like `wallMs`, but later at each call: no two publishers of a process start at the same time. */
  epochMs(): number;
  /** From 0 up to 1: jitter. */
  random(): number;
  /** 32 random bits that cannot be guessed: parts of names. */
  randomBits(): number;
  /** Runs `task` once, `delayMs` from now. Never keeps a process alive. */
  after(delayMs: number, task: () => void): Timer;
  /** Runs `task` every `periodMs`. Never keeps a process alive. */
  every(periodMs: number, task: () => void): Timer;
  /** Runs `task` at the end of this turn of the event loop, after the promise jobs that are queued already. */
  soon(task: () => void): void;
  /** A caller awaits something of ours: the process stays alive until as many `release` calls have followed. */
  hold(): void;
  release(): void;
}

/** The machine's own clocks and timers. */
export function systemRuntime(): Runtime {
  return SYSTEM;
}

let lastEpochMs = 0;
let holders = 0;
let keeper: { ref?: () => void; unref?: () => void } | undefined;

const SYSTEM: Runtime = {
  wallMs: () => Date.now(),
  nowMs: () => performance.now(),
  epochMs: () => {
    lastEpochMs = Math.max(Date.now(), lastEpochMs + 1);
    return lastEpochMs;
  },
  random: Math.random,
  randomBits: () => crypto.getRandomValues(new Uint32Array(1))[0] as number,
  after: (delayMs, task) => {
    const handle = unref(setTimeout(task, Math.min(delayMs, MAX_DELAY_MS)));
    return { cancel: () => clearTimeout(handle) };
  },
  every: (periodMs, task) => {
    const handle = unref(setInterval(task, Math.min(periodMs, MAX_DELAY_MS)));
    return { cancel: () => clearInterval(handle) };
  },
  // In Node after the promise jobs, so that a hundred producers whose publishes were confirmed together are coalesced again.
  soon: (globalThis as { process?: { nextTick?: (task: () => void) => void } }).process?.nextTick ?? queueMicrotask,
  hold: () => {
    if (++holders > 1) return;
    // One timer for all, kept: making one costs more than most publishes.
    if (keeper === undefined) keeper = setInterval(() => {}, MAX_DELAY_MS) as unknown as NonNullable<typeof keeper>;
    else keeper.ref?.();
  },
  release: () => {
    if (--holders === 0) keeper?.unref?.();
  },
};

/** Maximum delay of a timer, ms; a longer one would fire immediately. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Node gives an object that can be unreferenced, browsers a number that need not be. */
function unref<Handle>(handle: Handle): Handle {
  (handle as { unref?: () => void }).unref?.();
  return handle;
}

/** Keeps the process alive until `promise` settles. @returns a promise that settles alike, for the caller to await */
export function keepAlive<Value>(runtime: Runtime, promise: Promise<Value>): Promise<Value> {
  runtime.hold();
  return promise.finally(() => runtime.release());
}
