import { ConformanceFailure } from './assert.ts';
import { lag } from './lag.ts';

/** Wall-clock of this process in ms, monotonic. */
export const nowMs = (): number => performance.now();

/** Resolves after `ms`: for clocks and bounded quiet, never to wait for somebody else's work. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Resolves once `condition` holds. Patience lasts longer on a busy machine.
 * @throws ConformanceFailure with `what()` when patience ends
 */
export async function until(condition: () => boolean, patienceMs: number, what: () => string): Promise<void> {
  const began = nowMs();
  let stepMs = 1;
  while (!condition()) {
    if (nowMs() > began + patienceMs * lag.stretch) throw new ConformanceFailure(`within ${patienceMs} ms: ${what()}`);
    await pass(stepMs);
    stepMs = Math.min(stepMs * 2, 16);
  }
}

/**
 * Resolves once `count` has come to so many. How fast it grows is the machine's affair: patience begins anew whenever it has grown.
 * @throws ConformanceFailure when it stays the same for longer than patience lasts
 */
export async function untilCounted(
  count: () => number,
  wanted: number,
  patienceMs: number,
  what: string,
): Promise<void> {
  for (let before = count(); before < wanted; before = count()) {
    await until(
      () => count() !== before,
      patienceMs,
      () => `more than ${before} of ${wanted} ${what}`,
    );
  }
}

/** The promise's outcome. @throws ConformanceFailure when it takes longer than `limitMs`, and more on a busy machine */
export async function within<Value>(promise: PromiseLike<Value>, limitMs: number, what: string): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const began = nowMs();
  const late = new Promise<never>((_, reject) => {
    const look = () => {
      const leftMs = began + limitMs * lag.stretch - nowMs();
      if (leftMs > 1) timer = setTimeout(look, leftMs);
      else reject(new ConformanceFailure(`${what}: still pending after ${limitMs} ms`));
    };
    timer = setTimeout(look, limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A promise that is looked at later. That it rejects before, while the case fails for another reason, is then not an
 * unhandled rejection, which would end the process.
 */
export function later<Promised extends PromiseLike<unknown>>(promise: Promised): Promised {
  promise.then(undefined, () => {});
  return promise;
}

/** Longer than a service needs to take two events, ms. */
const TAKEN_WITHIN_MS = 500;

/** Resolves when the events are taken; some transports hold publishers up meanwhile, though the subscribers have the events already. */
export async function takenOrHeldUp(published: PromiseLike<unknown>): Promise<void> {
  await Promise.race([later(published), pass(TAKEN_WITHIN_MS * lag.stretch)]);
}

/** A promise and its resolver: a handler waits behind it. */
export class Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;

  constructor() {
    let open: () => void = () => {};
    this.passed = new Promise((resolve) => {
      open = resolve;
    });
    this.open = open;
  }
}
