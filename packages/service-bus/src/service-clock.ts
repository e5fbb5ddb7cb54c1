/**
 * The service's clock, as far as it can be seen from here: it is never earlier than anything it has written. So what is said to be
 * its time is never later than its own, and an event never older than it is.
 */
export class ServiceClock {
  /** The service's time where the monotonic clock is 0, epoch ms. */
  #offsetMs = Number.NEGATIVE_INFINITY;

  /** The service wrote this time before now. @param atMs of the monotonic clock, when it was read */
  observe(serviceMs: number, atMs = performance.now()): void {
    if (serviceMs - atMs > this.#offsetMs) this.#offsetMs = serviceMs - atMs;
  }

  /** How long the service has had what it wrote this time on, ms. */
  ageMs(serviceMs: number): number {
    return Math.max(0, this.#offsetMs + performance.now() - serviceMs);
  }
}
