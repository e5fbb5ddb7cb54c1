import { type BroadcastEvent, identityOf } from '../envelope/event.ts';
import type { LiveDelivery } from './delivery.ts';

const MAX_ENTRIES = 10_000;

/**
 * How often the handler was given what went back to the service: a service counts only what it handed over, and not the attempts that
 * were made here with one hand-over. Bounded; of what is forgotten the service's own count holds.
 */
export class GivenAttempts {
  #attempts: Map<string, number> | undefined;
  /** How often the lock was lost of what waited here for its turn: the service counts it, and no handler saw it. */
  #unseen: Map<string, number> | undefined;

  remember({ event, attempts }: LiveDelivery): void {
    if (attempts === 0) return;
    this.#attempts = remembered(this.#attempts, identityOf(event), attempts);
  }

  /** Its lock is lost, and no handler saw it. */
  missed(event: BroadcastEvent): void {
    this.#unseen = remembered(this.#unseen, identityOf(event), this.unseen(event) + 1);
  }

  /** How many of the deliveries of an event never came to a handler here, though the service counts them. */
  unseen(event: BroadcastEvent): number {
    return (this.#unseen && this.#unseen.size > 0 && this.#unseen.get(identityOf(event))) || 0;
  }

  /** The number of the next attempt, as far as we know; 1 for what was never here. */
  next(event: BroadcastEvent): number {
    if (this.#attempts === undefined || this.#attempts.size === 0) return 1;
    const key = identityOf(event);
    const attempt = this.#attempts.get(key);
    if (attempt === undefined) return 1;
    this.#attempts.delete(key);
    return attempt + 1;
  }
}

function remembered(map: Map<string, number> | undefined, key: string, count: number): Map<string, number> {
  const all = map ?? new Map<string, number>();
  all.set(key, count);
  if (all.size > MAX_ENTRIES) all.delete(all.keys().next().value as string);
  return all;
}
