import { PolycastError } from '../contract/error.ts';

/** Has the caller aborted already? Asked before anything is done. @throws TypeError for what is not a signal */
export function isAborted(signal: AbortSignal | undefined): boolean {
  if (signal === undefined) return false;
  if (typeof signal?.addEventListener !== 'function' || typeof signal.removeEventListener !== 'function') {
    throw new TypeError('abortSignal must be an AbortSignal');
  }
  return signal.aborted;
}

/**
 * Calls `abort` when the caller aborts, at once if that was before. The signal may be anybody's code.
 * @returns takes the listener away again; never throws. @throws TypeError for a signal that takes no listener
 */
export function onAbort(signal: AbortSignal | undefined, abort: () => void): () => void {
  if (signal === undefined) return () => {};
  try {
    signal.addEventListener('abort', abort, { once: true });
  } catch (cause) {
    throw new TypeError('abortSignal must be an AbortSignal', { cause });
  }
  if (signal.aborted) abort();
  return () => {
    try {
      signal.removeEventListener('abort', abort);
    } catch {
      // It is not ours to mend.
    }
  };
}

/** Settles like `promise`, unless the caller aborts first. Nothing of ours stays on the signal. */
export function orAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
  message: string,
): Promise<Value> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    let off = () => {};
    // First: whatever the signal does, the promise is not left alone.
    promise.then(resolve, reject).then(() => off());
    off = onAbort(signal, () => reject(new PolycastError('aborted', message)));
  });
}
