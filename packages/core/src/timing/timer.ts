import type { Runtime } from './runtime.ts';

/** Something that will happen, unless cancelled. */
export interface Timer {
  cancel(): void;
}

/** Resolves to true when `promise` settles in time, else to false. Never rejects. */
export function settlesWithin(runtime: Runtime, promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = runtime.after(limitMs, () => resolve(false));
    const done = () => {
      timer.cancel();
      resolve(true);
    };
    promise.then(done, done);
  });
}
