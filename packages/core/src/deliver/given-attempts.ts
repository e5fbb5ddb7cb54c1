import { type BroadcastEvent, identityOf } from '../envelope/event.ts';
import type { LiveDelivery } from './delivery.ts';

const MAX_ENTRIES = 10_000;

/**
 * How often the handler was given what went back to the service: a service counts only what it handed over, and not the tries that
 * were made here with one hand-over. Bounded; of what is forgotten the service's own count holds.
 */
export class GivenAttempts {
  #attempts: Map<string, number> | undefined;

  remember({ event, tries }: LiveDelivery): void {
    if (tries === 0) return;
    this.#attempts ??= new Map();
    this.#attempts.set(identityOf(event), tries);
    if (this.#attempts.size > MAX_ENTRIES) this.#attempts.delete(this.#attempts.keys().next().value as string);
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
