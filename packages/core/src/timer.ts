/** A timer that never keeps a process alive. */
export interface Timer {
  cancel(): void;
}

/** Runs `task` once, `delayMs` from now. */
export function after(delayMs: number, task: () => void): Timer {
  const handle = unref(setTimeout(task, Math.min(delayMs, MAX_DELAY_MS)));
  return { cancel: () => clearTimeout(handle) };
}

/** Runs `task` every `periodMs`. */
export function every(periodMs: number, task: () => void): Timer {
  const handle = unref(setInterval(task, Math.min(periodMs, MAX_DELAY_MS)));
  return { cancel: () => clearInterval(handle) };
}

/** Resolves after `delayMs`; early if the signal is aborted. Never rejects. */
export function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = after(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
    function done(): void {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
}

/** Resolves to true when `promise` settles in time, else to false. Never rejects. */
export function settlesWithin(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = after(limitMs, () => resolve(false));
    const done = () => {
      timer.cancel();
      resolve(true);
    };
    promise.then(done, done);
  });
}

/** Longest delay a timer takes; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Node gives an object that can be unreferenced, browsers a number that need not be. */
function unref<Handle>(handle: Handle): Handle {
  (handle as { unref?: () => void }).unref?.();
  return handle;
}
