import type { ServiceBusClient } from '@azure/service-bus';
import { type JoinedLink, type LinkContext, PolycastError, type Share, settlesWithin } from '@polycast/core/adapter';
import { Calls } from './calls.ts';
import type { ServiceClock } from './service-clock.ts';
import type { Settings } from './settings.ts';
import type { ClientUser, SharedClient } from './shared-client.ts';

/** One link's part in a connection, which it may share: its own calls, and what it is told of the connection. */
export class Connection implements ClientUser {
  readonly client: ServiceBusClient;
  readonly settings: Settings;
  /** Is the SDK used by its public face alone? */
  readonly isPublic: boolean;
  readonly clock: ServiceClock;
  readonly #monitor: JoinedLink;
  readonly #share: Share<SharedClient>;
  readonly #calls: Calls;
  readonly #onReturn = new Set<() => void>();
  readonly #endings = new Set<Promise<void>>();
  #topic: string | undefined;
  #closing: Promise<void> | undefined;
  reopen: (() => Promise<unknown>) | undefined;

  constructor(share: Share<SharedClient>, context: LinkContext) {
    const { client, settings, isPublic, clock } = share.value;
    this.client = client;
    this.settings = settings;
    this.isPublic = isPublic;
    this.clock = clock;
    this.#share = share;
    this.#monitor = share.value.monitor.join(context.signal);
    this.#calls = new Calls({
      settings,
      monitor: this.#monitor,
      onLate: (calledAtMs) => share.value.unanswered(calledAtMs),
      onAnswer: (calledAtMs) => share.value.answered(calledAtMs),
    });
    share.value.join(this);
  }

  get topic(): string | undefined {
    return this.#topic;
  }

  get generation(): number {
    return this.#share.value.generation;
  }

  get isDown(): boolean {
    return this.#share.value.isDown;
  }

  /** Does another link use it? */
  get isShared(): boolean {
    return this.#share.value.isShared;
  }

  /** The connection was opened. @param topic one whose links may be opened */
  start(topic: string): void {
    this.#topic = topic;
    this.#share.value.start(this);
  }

  /** Something failed as what loses its connection does. */
  suspect(error: PolycastError): void {
    // What was ended here is not lost.
    const isOurs = (error.cause as { name?: unknown } | undefined)?.name === 'AbortError';
    if (!isOurs && this.#closing === undefined) this.#share.value.suspect(error);
  }

  /** Waits for the answer to a call: until the connection is lost, or the time is over. @throws PolycastError */
  call<Answer>(calling: Promise<Answer>): Promise<Answer> {
    if (!this.isPublic) return this.#calls.wait(calling);
    return this.#calls.wait(calling).catch((thrown: unknown) => {
      const error = PolycastError.from(thrown);
      // First, so that whoever made the call finds the connection as it is.
      if (error.code === 'disconnected') this.suspect(error);
      throw error;
    });
  }

  /** Resolves when the connection is up, or is closed for good, or the time is over. */
  awaitReturn(timeoutMs: number): Promise<void> {
    if (!this.isDown || this.#closing !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#onReturn.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      timer.unref();
      this.#onReturn.add(done);
    });
  }

  /** See {@link SharedClient.ending}. */
  ending(work: Promise<unknown>): Promise<void> {
    const ending = this.#share.value.ending(work).finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
    return ending;
  }

  /** The last link that does closes the connection. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#monitor.leave();
      if (this.isPublic) await settlesWithin(this.settings.closeTimeoutMs, Promise.all(this.#endings));
      this.#share.value.leave(this);
      await this.#share.release();
      // After its goodbye: a settlement under way may still be answered.
      this.#calls.end(new PolycastError('closed', 'the connection was closed'));
      for (const done of [...this.#onReturn]) done();
    })();
    return this.#closing;
  }

  // ── what its client reports ──

  lost(error: PolycastError): void {
    this.#calls.fail(error);
  }

  returned(): void {
    for (const done of [...this.#onReturn]) done();
  }
}
