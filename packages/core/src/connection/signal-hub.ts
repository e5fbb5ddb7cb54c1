import type { Signal, SignalListener } from '../contract/signal.ts';

/** Hands signals to listeners. A listener that throws hurts nobody. */
export class SignalHub {
  #listeners: SignalListener[] = [];

  add(listener: SignalListener): () => void {
    checkListener(listener);
    // A copy, so that a signal being told is told to those who listened when it happened.
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  /** @returns false if nobody listens */
  report(signal: Signal): boolean {
    const listeners = this.#listeners;
    for (const listener of listeners) notifyListener(listener, signal);
    return listeners.length > 0;
  }
}

/** @throws TypeError */
export function checkListener(listener: SignalListener): SignalListener {
  if (typeof listener === 'function') return listener;
  throw new TypeError('onSignal must be a function');
}

export function notifyListener(listener: SignalListener, signal: Signal): void {
  try {
    const returned: unknown = listener(signal);
    // An asynchronous listener: its promise is nobody's, and must not end the process.
    if (typeof returned === 'object' && returned !== null) Promise.resolve(returned).catch(() => {});
  } catch {
    // Stated in the contract: what a listener throws is ignored.
  }
}
