import { PolycastError } from './error.ts';

/** Has the caller aborted already? Asked before anything is done. @throws TypeError for what is no signal */
export function isAborted(signal: AbortSignal | undefined): boolean {
  if (signal === undefined) return false;
  if (typeof signal?.addEventListener !== 'function') throw new TypeError('signal must be an AbortSignal');
  return signal.aborted;
}

/** Settles like `promise`, unless the caller aborts first. Nothing of ours stays on the signal. */
export function orAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
  message: string,
): Promise<Value> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(new PolycastError('aborted', message));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
