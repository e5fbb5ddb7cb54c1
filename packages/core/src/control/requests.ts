import { type Address, checkAddress } from '../contract/address.ts';
import { aboveZero, duration } from '../contract/checked-option.ts';
import type { PublishOptions, Replies, Reply, RequestOptions } from '../contract/contract.ts';
import { PolycastError } from '../contract/error.ts';
import type { Participant } from '../contract/participant.ts';
import type { BroadcastEvent, EventInput } from '../envelope/event.ts';
import type { Publisher } from '../publish/publisher.ts';
import { Deduplicator } from '../receive/deduplicator.ts';
import { isAborted, onAbort } from '../timing/abort.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { ReplyChecks } from './reply-checks.ts';

/** @default for `request`'s `timeoutMs` */
export const DEFAULT_REQUEST_TIMEOUT_MS = 5_000;
/** The type of a reply. */
export const REPLY_TYPE = 'polycast.reply';
/** Most replies one request holds for a reader that does not read. */
const MAX_REPLIES = 100_000;

type Send = (event: EventInput, options: PublishOptions | undefined) => Promise<void>;
/** What stands around a publish stands around a request. */
export type Through = (event: EventInput, options: PublishOptions, send: Send) => Promise<void>;

/** Asks, and hands each reply to the request it answers; and answers the requests of others. */
export class Requests {
  readonly #self: Participant;
  readonly #publisher: Publisher;
  readonly #waiting = new Map<string, (event: BroadcastEvent) => void>();
  readonly #cancel = new Set<(error: PolycastError) => void>();
  readonly #runtime: Runtime;
  readonly #heard: Deduplicator;
  readonly #checks: ReplyChecks | undefined;
  #nextNumber = 1;

  constructor(self: Participant, publisher: Publisher, runtime: Runtime, checks: ReplyChecks | undefined) {
    this.#checks = checks;
    this.#runtime = runtime;
    this.#heard = new Deduplicator(runtime);
    this.#self = self;
    this.#publisher = publisher;
  }

  /** Are replies expected? */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** @param listen resolves once replies can reach us; not called for what is refused */
  request(input: EventInput, options: RequestOptions, listen: () => Promise<void>, through?: Through): Replies {
    const {
      maxReplies = Number.POSITIVE_INFINITY,
      timeoutMs = DEFAULT_REQUEST_TIMEOUT_MS,
      ...publishOptions
    } = options;
    aboveZero('maxReplies', maxReplies);
    duration('timeoutMs', timeoutMs);
    const aborted = isAborted(options.abortSignal);
    const correlationid = `${this.#publisher.epoch}-${this.#nextNumber++}`;
    const { abortSignal } = options;
    let off = () => {};
    const gathering = new Gathering(this.#runtime, maxReplies, () => {
      this.#waiting.delete(correlationid);
      this.#cancel.delete(fail);
      off();
    });
    const fail = (error: unknown) => gathering.end(error);
    const abort = () => fail(new PolycastError('aborted', 'the request was aborted'));
    this.#cancel.add(fail);
    this.#waiting.set(correlationid, (event) => {
      const take = (data: unknown) => gathering.add({ data, from: participantOf(event.source), event });
      if (this.#checks === undefined) take(event.data);
      else this.#checks.received(input.type, event.data, take);
    });
    const ask = async () => {
      await listen();
      gathering.expireAfter(timeoutMs);
      const core = { replyto: `instance:${this.#self.instance}`, correlationid };
      // Nobody reads a question after its time.
      const ttlMs = publishOptions.ttlMs ?? Math.max(timeoutMs, 1);
      const send: Send = (event, given) => this.#publisher.send(this.#publisher.prepare(event, given, core));
      const asked = { ...publishOptions, ttlMs };
      await (through === undefined ? send(input, asked) : through(input, asked, send));
    };
    if (aborted) abort();
    else {
      try {
        off = onAbort(abortSignal, abort);
      } catch (thrown) {
        fail(thrown);
        throw thrown;
      }
      ask().catch(fail);
    }
    return gathering;
  }

  /** @throws PolycastError `invalid-event` when the event asks for no reply */
  async reply(request: BroadcastEvent, data: unknown): Promise<void> {
    const { replyto, correlationid } = request;
    if (typeof replyto !== 'string' || typeof correlationid !== 'string') {
      throw new PolycastError('invalid-event', `event ${request.id} is not a request: it has no replyto`);
    }
    await this.#checks?.given(request.type, data);
    await this.answer(replyto, correlationid, data);
  }

  async answer(replyto: string, correlationid: string, data: unknown): Promise<void> {
    const to: Address = checkAddress(replyto);
    // A requester may ask itself: replies reach their addressee whoever it is.
    const options = { to, carbonCopy: true };
    await this.#publisher.send(this.#publisher.prepare({ type: REPLY_TYPE, data }, options, { correlationid }));
  }

  /**
   * What comes to us and to no subscription. Several sources may bring it.
   * @returns false for what is news, and no reply
   */
  receive(event: BroadcastEvent): boolean {
    if (!this.#heard.add(event)) return true;
    if (event.type !== REPLY_TYPE) return false;
    const { correlationid } = event;
    if (typeof correlationid === 'string') this.#waiting.get(correlationid)?.(event);
    return true;
  }

  close(error: PolycastError): void {
    for (const cancel of [...this.#cancel]) cancel(error);
  }
}

/** The replies to one request, until there are enough or time is up. */
class Gathering implements Replies {
  readonly #runtime: Runtime;
  readonly #maxReplies: number;
  readonly #ended: () => void;
  readonly #replies: Reply[] = [];
  #state: 'open' | 'done' | 'failed' = 'open';
  #error: unknown;
  #wake: (() => void)[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(runtime: Runtime, maxReplies: number, ended: () => void) {
    this.#runtime = runtime;
    // Awaited or read, until it ends.
    runtime.hold();
    this.#maxReplies = maxReplies;
    this.#ended = ended;
  }

  add(reply: Reply): void {
    if (this.#state !== 'open') return;
    this.#replies.push(reply);
    if (this.#replies.length >= Math.min(this.#maxReplies, MAX_REPLIES)) this.end();
    else this.#awake();
  }

  expireAfter(timeoutMs: number): void {
    if (this.#state !== 'open') return;
    this.#cancelTimer = this.#runtime.after(timeoutMs, () => this.end()).cancel;
  }

  end(error?: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = error === undefined ? 'done' : 'failed';
    this.#error = error;
    this.#cancelTimer?.();
    this.#runtime.release();
    this.#ended();
    this.#awake();
  }

  // biome-ignore lint/suspicious/noThenProperty: replies are awaited as a whole or read one by one
  then<Fulfilled = readonly Reply[], Rejected = never>(
    onFulfilled?: ((replies: readonly Reply[]) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    return this.#all().then(onFulfilled, onRejected);
  }

  async #all(): Promise<readonly Reply[]> {
    while (this.#state === 'open') await this.#changed();
    if (this.#state === 'failed') throw this.#error;
    return this.#replies;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Reply, void> {
    try {
      for (let at = 0; ; at++) {
        while (at >= this.#replies.length && this.#state === 'open') await this.#changed();
        if (at < this.#replies.length) yield this.#replies[at] as Reply;
        else if (this.#state === 'failed') throw this.#error;
        else return;
      }
    } finally {
      // Leaving the loop early: what comes later is of no interest.
      this.end();
    }
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #awake(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Who published, from a source that Polycast wrote. */
export function participantOf(source: string): Participant {
  const [, role = 'unknown', instance = source] = /^\/([^/]+)\/([^/]+)$/.exec(source) ?? [];
  return { instance, role };
}
