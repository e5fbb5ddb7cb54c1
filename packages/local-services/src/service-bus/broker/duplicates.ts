import type { MessageContent } from '../message/content.ts';

/** Which messages were sent not long ago. */
export class DuplicateHistory {
  readonly #windowMs: () => number;
  readonly #byPartition: () => boolean;
  /** When each was sent. In that order, since an identity is noted once. */
  readonly #sentAt = new Map<string, number>();

  /** @param byPartition whether the same id with another session or partition key is another message */
  constructor(windowMs: () => number, byPartition: () => boolean) {
    this.#windowMs = windowMs;
    this.#byPartition = byPartition;
  }

  get size(): number {
    return this.#sentAt.size;
  }

  /** Notes the message. @returns whether it was there before; one without an id never was */
  isDuplicate(content: MessageContent, now: number): boolean {
    this.forget(now);
    const { messageId } = content;
    if (messageId === undefined) return false;
    const key = this.#byPartition()
      ? JSON.stringify([messageId, content.sessionId ?? content.partitionKey ?? null])
      : messageId;
    if (this.#sentAt.has(key)) return true;
    this.#sentAt.set(key, now);
    return false;
  }

  /** Those that are older than the window. @returns when the next one will be, epoch ms; Infinity: none is left */
  forget(now: number): number {
    const windowMs = this.#windowMs();
    for (const [key, sentAtMs] of this.#sentAt) {
      if (sentAtMs + windowMs > now) return sentAtMs + windowMs;
      this.#sentAt.delete(key);
    }
    return Number.POSITIVE_INFINITY;
  }
}
