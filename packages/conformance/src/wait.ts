import { ConformanceFailure } from './assert.ts';

/** Wall-clock of this process in ms, monotonic. */
export const nowMs = (): number => performance.now();

/** Resolves after `ms`: for clocks and bounded quiet, never to wait for somebody else's work. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves once `condition` holds. @throws ConformanceFailure with `what()` when patience ends */
export async function until(condition: () => boolean, patienceMs: number, what: () => string): Promise<void> {
  const deadline = nowMs() + patienceMs;
  let stepMs = 1;
  while (!condition()) {
    if (nowMs() > deadline) throw new ConformanceFailure(`within ${patienceMs} ms: ${what()}`);
    await pass(stepMs);
    stepMs = Math.min(stepMs * 2, 16);
  }
}

/** The promise's outcome. @throws ConformanceFailure when it takes longer than `limitMs` */
export async function within<Value>(promise: PromiseLike<Value>, limitMs: number, what: string): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConformanceFailure(`${what}: still pending after ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
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
