import type { MessageContent } from '../message/content.ts';
import type { StoredMessage } from './api.ts';
import type { Lock } from './lock.ts';
import type { Session } from './session.ts';

/** Where a copy is in its life. Numbers, because they share a field with counters. */
export const PHASE = { available: 0, locked: 1, deferred: 2, lockedDeferred: 3, scheduled: 4, gone: 5 } as const;
export type Phase = (typeof PHASE)[keyof typeof PHASE];

const PHASE_MASK = 0b111;
const HOPS_SHIFT = 3;
const HOPS_MASK = 0b111;
const SCHEDULED_BIT = 0b1 << 6;
const COUNT_SHIFT = 7;

/** What a copy starts with. */
export interface Origin {
  readonly enqueuedSequenceNumber: number;
  readonly enqueuedAtMs: number;
  /** From then on; Infinity: never expires. */
  readonly ttlMs: number;
  /** How often it was forwarded. */
  readonly hops: number;
  readonly deliveryCount: number;
  readonly deadLetterSource: string | undefined;
  /** It waited for its time before. */
  readonly wasScheduled?: boolean;
  /** What it takes of the entity's size, in bytes. */
  readonly charge: number;
}

/**
 * A message in a queue. A million may lie there, so that fields are few: small numbers share one, and a duration takes
 * no room of its own as a time would.
 */
export class Copy implements StoredMessage {
  content: MessageContent;
  readonly sequenceNumber: number;
  readonly enqueuedSequenceNumber: number;
  readonly enqueuedAtMs: number;
  readonly deadLetterSource: string | undefined;
  charge: number;
  lock: Lock | undefined = undefined;
  /** Where sessions are required. */
  readonly session: Session | undefined;
  /** -1: never expires. */
  readonly #ttlMs: number;
  #packed: number;

  constructor(content: MessageContent, sequenceNumber: number, origin: Origin, phase: Phase, session?: Session) {
    this.content = content;
    this.sequenceNumber = sequenceNumber;
    this.enqueuedSequenceNumber = origin.enqueuedSequenceNumber || sequenceNumber;
    this.enqueuedAtMs = origin.enqueuedAtMs;
    this.deadLetterSource = origin.deadLetterSource;
    this.charge = origin.charge;
    this.session = session;
    this.#ttlMs = origin.ttlMs === Number.POSITIVE_INFINITY ? -1 : origin.ttlMs;
    this.#packed =
      phase |
      (origin.hops << HOPS_SHIFT) |
      (origin.wasScheduled === true ? SCHEDULED_BIT : 0) |
      (origin.deliveryCount << COUNT_SHIFT);
  }

  get expiresAtMs(): number {
    return this.#ttlMs < 0 ? Number.POSITIVE_INFINITY : this.enqueuedAtMs + this.#ttlMs;
  }

  get state(): 'active' | 'deferred' | 'scheduled' {
    const { phase } = this;
    if (phase === PHASE.scheduled) return 'scheduled';
    if (phase === PHASE.deferred || phase === PHASE.lockedDeferred) return 'deferred';
    return (this.#packed & SCHEDULED_BIT) === 0 ? 'active' : 'scheduled';
  }

  get phase(): Phase {
    return (this.#packed & PHASE_MASK) as Phase;
  }

  set phase(phase: Phase) {
    this.#packed = (this.#packed & ~PHASE_MASK) | phase;
  }

  get hops(): number {
    return (this.#packed >> HOPS_SHIFT) & HOPS_MASK;
  }

  get deliveryCount(): number {
    return this.#packed >>> COUNT_SHIFT;
  }

  countFailure(): void {
    if (this.deliveryCount < MAX_COUNT) this.#packed += 1 << COUNT_SHIFT;
  }
}

const MAX_COUNT = 0x7f_ffff;
