import { MAX_PENDING_EVENTS } from './contract.ts';
import { type Deferred, deferred } from './deferred.ts';
import { type ErrorCode, PolycastError } from './error.ts';
import type { Manifest } from './manifest.ts';
import { backOffMs, type RetryPolicy } from './retry.ts';
import type { Runtime } from './runtime.ts';
import type { Outgoing } from './transport.ts';

type SendBatch = (batch: readonly Outgoing[]) => void | Promise<void | readonly (PolycastError | undefined)[]>;

/** One event waiting for the transport, and who waits for it. */
interface Entry {
  outgoing: Outgoing;
  readonly bytes: number;
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
  readonly #limits: Manifest['limits'];
  readonly #retry: RetryPolicy;
  readonly #isDown: () => boolean;
  readonly #onRefused: (refused: readonly Outgoing[], taken: readonly Outgoing[]) => void;
  readonly #runtime: Runtime;
  #waiting: (Entry | undefined)[] = [];
  /** Index of the first entry of `#waiting` that was not taken yet. */
  #head = 0;
  /** Sent, and not answered yet. */
  readonly #underWay = new Set<Batch>();
  #flushScheduled = false;
  #nextBatchNumber = 0;
  #failed: Batch[] = [];
  /** Set while failed batches wait: nothing is sent. */
  #held = false;
  #wake: (() => void) | undefined;
  #idle: Deferred<void> | undefined;
  #closed: PolycastError | undefined;
  /** Do we keep the process alive? */
  #holds = false;

  constructor(options: {
    send: SendBatch;
    limits: Manifest['limits'];
    retry: RetryPolicy;
    /** Is the connection known to be lost? Then failed batches wait for `wake()` instead of using up their tries. */
    isDown: () => boolean;
    /**
     * Events were refused for good, before anything that was published later was sent. Those that still wait may be changed, with
     * `rewrite`.
     * @param taken what was taken of the same batch
     */
    onRefused: (refused: readonly Outgoing[], taken: readonly Outgoing[]) => void;
    runtime: Runtime;
  }) {
    this.#send = options.send;
    this.#limits = options.limits;
    this.#retry = options.retry;
    this.#isDown = options.isDown;
    this.#onRefused = options.onRefused;
    this.#runtime = options.runtime;
  }

  get pending(): number {
    return this.#waiting.length - this.#head;
  }

  /** One more is refused with `overloaded`. */
  get isFull(): boolean {
    return this.pending >= MAX_PENDING_EVENTS;
  }

  /** Resolves once the transport took the event. @throws `overloaded`, or what the transport said at the last try. */
  add(outgoing: Outgoing, bytes: number): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.isFull) {
      return Promise.reject(
        new PolycastError('overloaded', `${MAX_PENDING_EVENTS} events wait for the transport already; await publish()`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ outgoing, bytes, resolve, reject });
      this.#schedule();
      if (!this.#holds) this.#hold();
    });
  }

  /** Changes what waits and was not sent yet, in its order. Sizes must stay about the same. */
  rewrite(change: (outgoing: Outgoing) => Outgoing): void {
    for (let at = this.#head; at < this.#waiting.length; at++) {
      const entry = this.#waiting[at] as Entry;
      entry.outgoing = change(entry.outgoing);
    }
  }

  /** The connection is back: what failed need not wait any longer. */
  wake(): void {
    this.#wake?.();
  }

  /** Resolves when nothing waits and nothing is under way. */
  drain(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    this.#idle ??= deferred();
    return this.#idle.promise;
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
    this.#wake?.();
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
    this.#idle?.resolve();
    this.#idle = undefined;
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
    const { maxBatchEvents, maxBatchBytes } = this.#limits;
    const from = this.#head;
    const end = Math.min(this.#waiting.length, from + maxBatchEvents);
    let bytes = (this.#waiting[from] as Entry).bytes;
    let to = from + 1;
    for (; to < end; to++) {
      bytes += (this.#waiting[to] as Entry).bytes;
      if (bytes > maxBatchBytes) break;
    }
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
        if (errors) this.#sortOut(batch, errors);
        else for (const entry of batch.entries) entry.resolve();
        this.#settled();
      },
      (thrown) => {
        if (!this.#underWay.delete(batch)) return;
        this.#fail(batch, PolycastError.from(thrown));
        this.#settled();
      },
    );
  }

  /** Some events of a batch failed: those worth it are tried again, together. */
  #sortOut(batch: Batch, errors: readonly (PolycastError | undefined)[]): void {
    const again: Entry[] = [];
    const taken: Outgoing[] = [];
    const refused: Outgoing[] = [];
    batch.entries.forEach((entry, index) => {
      const error = errors[index];
      if (error === undefined) {
        taken.push(entry.outgoing);
        entry.resolve();
      } else if (this.#mayRetry(batch, error)) again.push(entry);
      else {
        if (!UNCERTAIN.has(error.code)) refused.push(entry.outgoing);
        entry.reject(error);
      }
    });
    if (again.length > 0) this.#setAside({ ...batch, entries: again });
    else this.#tellRefused(refused, taken);
  }

  #fail(batch: Batch, error: PolycastError): void {
    if (this.#mayRetry(batch, error)) return this.#setAside(batch);
    for (const entry of batch.entries) entry.reject(this.#closed ?? error);
    if (!UNCERTAIN.has(error.code)) {
      const refused = batch.entries.map((entry) => entry.outgoing);
      this.#tellRefused(refused, []);
    }
  }

  #tellRefused(refused: readonly Outgoing[], taken: readonly Outgoing[]): void {
    if (refused.length > 0 && this.#underWay.size === 0 && this.#failed.length === 0) this.#onRefused(refused, taken);
  }

  #mayRetry(batch: Batch, error: PolycastError): boolean {
    return error.retryable && batch.attempt < this.#retry.tries && this.#closed === undefined;
  }

  #setAside(batch: Batch): void {
    this.#held = true;
    this.#failed.push(batch);
  }

  #settled(): void {
    if (this.#failed.length > 0) {
      if (this.#underWay.size === 0) this.#waitAndResend();
      return;
    }
    this.#flush();
  }

  #waitAndResend(): void {
    if (this.#wake) return;
    const attempt = Math.max(...this.#failed.map((batch) => batch.attempt));
    const timer = this.#runtime.after(
      this.#isDown() ? DOWN_PATIENCE_MS : backOffMs(this.#runtime, this.#retry, attempt),
      () => resend(),
    );
    const resend = () => {
      timer.cancel();
      this.#wake = undefined;
      this.#held = false;
      const batches = this.#failed.sort((a, b) => a.number - b.number).map((batch) => this.#withoutExpired(batch));
      this.#failed = [];
      this.#dropExpired();
      for (const batch of batches) {
        batch.attempt++;
        if (batch.entries.length > 0) this.#transmit(batch);
      }
      if (this.#underWay.size === 0) this.#settled();
    };
    this.#wake = resend;
  }

  /** What was tried for so long that its time is over is not tried again. It may have been taken. */
  #withoutExpired(batch: Batch): Batch {
    return { ...batch, entries: this.#refuseExpired(batch.entries).kept };
  }

  /** What waited for so long that its time is over is never sent. */
  #dropExpired(): void {
    const { kept, expired } = this.#refuseExpired(this.#waiting.slice(this.#head) as Entry[]);
    if (expired.length === 0) return;
    this.#waiting = kept;
    this.#head = 0;
    this.#tellRefused(expired, []);
  }

  #refuseExpired(entries: readonly Entry[]): { kept: Entry[]; expired: Outgoing[] } {
    const nowMs = this.#runtime.wallMs();
    const kept: Entry[] = [];
    const expired: Outgoing[] = [];
    for (const entry of entries) {
      if (entry.outgoing.expiresAtMs > nowMs) kept.push(entry);
      else {
        expired.push(entry.outgoing);
        entry.reject(new PolycastError('timeout', 'the time to live was over before the transport took the event'));
      }
    }
    return { kept, expired };
  }
}

/** After these nobody knows whether the transport took the events. */
const UNCERTAIN: ReadonlySet<ErrorCode> = new Set(['disconnected', 'timeout', 'internal']);

/** Longest wait for a lost connection to come back before a try is used up. */
const DOWN_PATIENCE_MS = 30_000;
