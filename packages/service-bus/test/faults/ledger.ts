import type { Broadcaster, PublishOptions } from '@polycast/core';
import { expect } from 'vitest';
import { until } from './scene.ts';

/** The type of what a ledger publishes: proxies know its messages by it. */
export const ENTRY = 'ledger.entry';

/** What was confirmed to whoever published, and what was handled. */
export class Ledger {
  readonly confirmed: string[] = [];
  readonly handled: string[] = [];
  #next = 1;

  /** Publishes one event. Resolves when it is confirmed. */
  async publish(cast: Broadcaster, data?: unknown, options?: PublishOptions): Promise<void> {
    const id = String(this.#next++);
    await cast.publish({ type: ENTRY, id, source: '/ledger', data }, options);
    this.confirmed.push(id);
  }

  /** A handler that takes down what it handled. */
  readonly handle = ({ id }: { readonly id: string }): void => {
    this.handled.push(id);
  };

  /** Waits until everything that was confirmed is handled. Nothing else may have been. */
  async balance(): Promise<void> {
    await until('all that was confirmed is handled', () => this.confirmed.every((id) => this.handled.includes(id)));
    expect([...new Set(this.handled)].sort(byNumber)).toEqual([...this.confirmed].sort(byNumber));
  }

  /** So, and each once, in the order of publishing. */
  async balanceInOrder(): Promise<void> {
    await this.balance();
    expect(this.handled).toEqual([...this.confirmed].sort(byNumber));
  }
}

function byNumber(one: string, other: string): number {
  return Number(one) - Number(other);
}
