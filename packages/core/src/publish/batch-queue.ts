import { type ErrorCode, PolycastError, retryAfterMsOf } from '../contract/error.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Encoded, Outgoing as OutgoingOf } from '../contract/transport.ts';
import { closeHoles, type Unsent } from '../receive/holes.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { Timer } from '../timing/timer.ts';
import { endOfBatch } from './encoder.ts';
import type { SequenceGenerator } from './sequence-generator.ts';

type Outgoing = OutgoingOf<Encoded | undefined>;

type SendBatch = (batch: readonly Outgoing[]) => void | Promise<void | readonly (PolycastError | undefined)[]>;

/** One event waiting for the transport, and who waits for it. */
interface Entry extends Unsent {
  outgoing: Outgoing;
  mayBeOut: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Entries sent together. `number` keeps the order of batches that failed together. */
interface Batch {
  readonly number: number;
  readonly entries: readonly Entry[];
  attempt: number;
}

/**
 * Coalesces what is published into as few sends as possible without delaying a lone event: an idle line sends in the
 * same turn of the event loop; while as many batches as the transport allows are under way, what comes fills the next.
 *
 * Order is kept through retries: while a failed batch waits for its next try, nothing overtakes it.
 */
export class BatchQueue {
  readonly #send: SendBatch;
  readonly #maxPending: number;
  readonly #limits: Manifest['limits'];
  readonly #maxAttempts: number;
  readonly #backOffMs: (attempt: number) => number;
  readonly #isDown: () => boolean;
  readonly #sequences: SequenceGenerator;
  readonly #renumber: (outgoing: Outgoing, sequence: string) => Outgoing;
  readonly #runtime: Runtime;
  #waiting: (Entry | undefined)[] = [];
  /** Index of the first entry of `#waiting` that was not taken yet. */
  #head = 0;
  /** Sent, and not answered yet. */
  readonly #underWay = new Set<Batch>();
  #flushScheduled = false;
  #nextBatchNumber = 0;
  /** In the order in which they were sent. */
  #failed: Batch[] = [];
  /** Rejected since something was under way, and surely not taken. */
  #refused: Outgoing[] = [];
  /** Set while failed batches wait, or the service asks for a pause: nothing is sent. */
  #held = false;
  /** Set while we wait to go on. */
  #timer: Timer | undefined;
  /** The service asks to be left alone until then, by the runtime's clock, and this is the error that said so. */
  #pauseEndsMs = Number.NEGATIVE_INFINITY;
  #pausedBy: PolycastError | undefined;
  readonly #whenIdle: (() => void)[] = [];
  #closed: PolycastError | undefined;
  /** Do we keep the process alive? */
  #holds = false;

  constructor(options: {
    send: SendBatch;
    maxPending: number;
    limits: Manifest['limits'];
    maxAttempts: number;
    /** How long to wait after the given attempt, in ms. */
    backOffMs: (attempt: number) => number;
    /** Is the connection known to be lost? Then failed batches wait for `wake()` instead of using up their attempts. */
    isDown: () => boolean;
    sequences: SequenceGenerator;
    /** The same event under another number. */
    renumber: (outgoing: Outgoing, sequence: string) => Outgoing;
    runtime: Runtime;
  }) {
    this.#send = options.send;
    this.#maxPending = options.maxPending;
    this.#limits = options.limits;
    this.#maxAttempts = options.maxAttempts;
    this.#backOffMs = options.backOffMs;
    this.#isDown = options.isDown;
    this.#sequences = options.sequences;
    this.#renumber = options.renumber;
    this.#runtime = options.runtime;
  }

  get pending(): number {
    return this.#waiting.length - this.#head;
  }

  /** One more is refused with `overloaded`. */
  get isFull(): boolean {
    return this.pending >= this.#maxPending;
  }

  /** Resolves once the transport took the event. @throws `overloaded`, or what the transport said at the last try. */
  add(outgoing: Outgoing): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.isFull) {
      return Promise.reject(
        new PolycastError(
          'overloaded',
          `${this.#maxPending} events are already waiting for the transport; await publish()`,
        ),
      );
    }
    if (outgoing.expiresAtMs <= this.#earliestWallMs()) {
      this.#sequences.rollBack(outgoing.event.sequence);
      return Promise.reject(this.#pausedBy);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ outgoing, resolve, reject, mayBeOut: false });
      this.#schedule();
      if (!this.#holds) this.#hold();
    });
  }

  /** The connection is back: what failed need not wait any longer, unless the service asked for it. */
  wake(): void {
    if (this.#timer === undefined) return;
    if (this.#pauseMs === 0) return this.#resend();
    this.#timer.cancel();
    this.#timer = undefined;
    this.#waitAndResend();
  }

  /** How long the service still asks to be left alone, ms. */
  get #pauseMs(): number {
    return this.#pausedBy === undefined ? 0 : Math.max(0, this.#pauseEndsMs - this.#runtime.nowMs());
  }

  /** What is over by then cannot be sent in time; `-Infinity` where nothing keeps us from sending. */
  #earliestWallMs(): number {
    const pauseMs = this.#pauseMs;
    return pauseMs === 0 ? Number.NEGATIVE_INFINITY : this.#runtime.wallMs() + pauseMs;
  }

  #pauseFor(error: PolycastError | undefined): void {
    const ms = retryAfterMsOf(error);
    if (ms <= this.#pauseMs || !error?.retryable) return;
    this.#pauseEndsMs = this.#runtime.nowMs() + ms;
    this.#pausedBy = error;
  }

  /** Resolves when nothing waits and nothing is under way. */
  drain(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Refuses everything that still waits or is not answered yet, and all that comes. */
  close(error: PolycastError): void {
    this.#closed = error;
    // What is under way may be taken or not: whoever awaits it must not wait for an answer that never comes.
    const left = [...this.#underWay, ...this.#failed].flatMap((batch) => batch.entries);
    left.push(...(this.#waiting.slice(this.#head) as Entry[]));
    this.#underWay.clear();
    this.#failed = [];
    this.#waiting = [];
    this.#head = 0;
    for (const entry of left) entry.reject(error);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#rest();
  }

  /** Somebody awaits us. */
  #hold(): void {
    this.#holds = true;
    this.#runtime.hold();
  }

  /** After each step that may have been the last one. */
  #rest(): void {
    if (!this.#isIdle()) return;
    if (this.#holds) this.#runtime.release();
    this.#holds = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #isIdle(): boolean {
    return this.pending === 0 && this.#underWay.size === 0 && this.#failed.length === 0;
  }

  #schedule(): void {
    if (this.#flushScheduled || this.#held || this.#underWay.size >= this.#limits.maxBatchesInFlight) return;
    this.#flushScheduled = true;
    this.#runtime.soon(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false;
    while (!this.#held && this.pending > 0 && this.#underWay.size < this.#limits.maxBatchesInFlight) {
      this.#transmit({ number: this.#nextBatchNumber++, entries: this.#take(), attempt: 1 });
    }
    this.#rest();
  };

  /** The longest run of waiting entries that fits the transport's limits; at least one. */
  #take(): Entry[] {
    const from = this.#head;
    const to = endOfBatch(this.#waiting, from, this.#limits);
    const entries = this.#waiting.slice(from, to) as Entry[];
    // While the queue never runs empty they would stay alive, to be copied by every scavenge: half of the publisher's CPU.
    this.#waiting.fill(undefined, from, to);
    if (to === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    } else {
      this.#head = to;
      if (to > 4_096) {
        this.#waiting = this.#waiting.slice(to);
        this.#head = 0;
      }
    }
    return entries;
  }

  #transmit(batch: Batch): void {
    let result: ReturnType<SendBatch>;
    try {
      result = this.#send(batch.entries.map((entry) => entry.outgoing));
    } catch (thrown) {
      result = Promise.reject(thrown);
    }
    if (result === undefined) {
      for (const entry of batch.entries) entry.resolve();
      return;
    }
    this.#underWay.add(batch);
    result.then(
      (errors) => {
        if (!this.#underWay.delete(batch)) return;
        if (errors) this.#sortOut(batch, (index) => errors[index]);
        else for (const entry of batch.entries) entry.resolve();
        this.#settled();
      },
      (thrown) => {
        if (!this.#underWay.delete(batch)) return;
        const error = PolycastError.from(thrown);
        this.#sortOut(batch, () => error);
        this.#settled();
      },
    );
  }

  /** Events of a batch failed: those worth it are tried again, together. */
  #sortOut(batch: Batch, errorAt: (index: number) => PolycastError | undefined): void {
    const again: Entry[] = [];
    for (const index of batch.entries.keys()) this.#pauseFor(errorAt(index));
    const earliestMs = this.#earliestWallMs();
    for (const [index, entry] of batch.entries.entries()) {
      const error = errorAt(index);
      if (error !== undefined && UNCERTAIN.has(error.code)) entry.mayBeOut = true;
      if (error === undefined) entry.resolve();
      else if (this.#mayRetry(batch, error) && entry.outgoing.expiresAtMs > earliestMs) again.push(entry);
      else this.#reject(entry, error);
    }
    if (again.length > 0) {
      this.#failed.push({ ...batch, entries: again });
      this.#failed.sort((a, b) => a.number - b.number);
    } else if (this.#pauseMs === 0) return;
    this.#held = true;
    // What would be over by then fails now, with what the service said, and not after a wait that cannot help.
    if (this.#pauseMs > 0) this.#dropExpired(earliestMs, this.#pausedBy as PolycastError);
  }

  #reject(entry: Entry, error: PolycastError): void {
    if (!entry.mayBeOut) this.#refused.push(entry.outgoing);
    entry.reject(error);
  }

  #mayRetry(batch: Batch, error: PolycastError): boolean {
    return error.retryable && batch.attempt < this.#maxAttempts && this.#closed === undefined;
  }

  #settled(): void {
    if (this.#underWay.size === 0) this.#closeHoles();
    if (this.#failed.length === 0 && this.#pauseMs === 0 && this.#timer === undefined) {
      this.#held = false;
      this.#flush();
    } else if (this.#underWay.size === 0) {
      this.#waitAndResend();
      this.#rest();
    }
  }

  /** While nothing is under way. */
  #closeHoles(): void {
    if (this.#refused.length === 0) return;
    const refused = this.#refused.splice(0);
    const failed = this.#failed.flatMap(({ entries }) => entries);
    closeHoles(refused, [...failed, ...(this.#waiting.slice(this.#head) as Entry[])], this.#sequences, this.#renumber);
  }

  #waitAndResend(): void {
    if (this.#timer !== undefined) return;
    const pauseMs = this.#pauseMs;
    const attempt = Math.max(1, ...this.#failed.map((batch) => batch.attempt));
    // The random part comes on top: those who were asked to wait equally long must not come back together.
    const delayMs = pauseMs + this.#backOffMs(attempt);
    this.#timer = this.#runtime.after(this.#isDown() ? Math.max(pauseMs, DOWN_PATIENCE_MS) : delayMs, () =>
      this.#resend(),
    );
  }

  #resend(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#held = false;
    this.#pausedBy = undefined;
    this.#dropExpired(
      this.#runtime.wallMs(),
      new PolycastError('timeout', 'the time to live ended before the transport accepted the event'),
    );
    const batches = this.#failed;
    this.#failed = [];
    for (const batch of batches) {
      batch.attempt++;
      if (batch.entries.length > 0) this.#transmit(batch);
    }
    if (this.#underWay.size === 0) this.#settled();
  }

  /** What waits, and is over at `wallMs`, is never sent, or not again. */
  #dropExpired(wallMs: number, error: PolycastError): void {
    const isLeft = (entry: Entry) => {
      if (entry.outgoing.expiresAtMs > wallMs) return true;
      this.#reject(entry, error);
      return false;
    };
    this.#failed = this.#failed
      .map((batch) => ({ ...batch, entries: batch.entries.filter(isLeft) }))
      .filter(({ entries }) => entries.length > 0);
    this.#waiting = (this.#waiting.slice(this.#head) as Entry[]).filter(isLeft);
    this.#head = 0;
    if (this.#underWay.size === 0) this.#closeHoles();
  }
}

/** After these nobody knows whether the transport took the events. */
const UNCERTAIN: ReadonlySet<ErrorCode> = new Set(['disconnected', 'timeout', 'internal']);

/** Longest wait for a lost connection to come back before a try is used up. */
const DOWN_PATIENCE_MS = 30_000;
