import type { Signal } from '@polycast/core';
import { showError } from './assert.ts';

/** Different signals that are kept. */
const MAX_LINES = 12;
const MAX_LENGTH = 300;

/** What was signalled during a case: shown when it fails, since that is often the cause. */
export class SignalNotes {
  readonly #seen = new WeakSet<Signal>();
  readonly #counts = new Map<string, number>();

  add(signal: Signal): void {
    // One object reaches the listeners of the broadcaster and those of its subscriptions.
    if (this.#seen.has(signal)) return;
    this.#seen.add(signal);
    const line = describe(signal);
    if (this.#counts.size < MAX_LINES || this.#counts.has(line)) {
      this.#counts.set(line, (this.#counts.get(line) ?? 0) + 1);
    }
  }

  get lines(): readonly string[] {
    return [...this.#counts].map(([line, count]) => (count === 1 ? line : `${line} (${count} times)`));
  }
}

function describe(signal: Signal): string {
  const { kind, ...rest } = signal;
  const { error, ...fields } = rest as { error?: { cause?: unknown } };
  const said = Object.entries(fields).flatMap(([name, value]) =>
    // What differs each time would make each signal another.
    typeof value === 'string' || typeof value === 'boolean' ? `${name} ${value}` : [],
  );
  const cause = error?.cause === undefined ? '' : ` (cause: ${showError(error.cause)})`;
  const reason = error === undefined ? '' : `${showError(error)}${cause}`;
  return `${kind}: ${[...said, reason].filter(Boolean).join(', ')}`.slice(0, MAX_LENGTH);
}
