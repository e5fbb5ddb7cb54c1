import type { ServiceBusReceivedMessage, ServiceBusSessionReceiver } from '@azure/service-bus';
import { pause, settlesWithin } from '@polycast/core/adapter';
import { AttemptCounter } from './attempt-counter.ts';
import type { Connection } from './connection.ts';
import { OPERATIONS } from './manifest.ts';
import { mapError } from './map-error.ts';
import type { MessageSource } from './message-buffer.ts';
import type { SettlingReceiver } from './message-lease.ts';
import { operationsFor } from './operations.ts';
import { QuietSignal } from './quiet-signal.ts';
import { closeQuietly, closeReceiver } from './sdk-internals/quiet-close.ts';
import { failSessionSettlements, sessionLinkOf } from './sdk-internals/session-link.ts';
import { drained } from './sdk-public/drained.ts';
import { OutcomeTurns } from './sdk-public/outcome-turns.ts';
import { RECONNECT_INTERVAL_MS } from './shared-client.ts';
import type { ReceiverOptions } from './subscription-receiver.ts';

/** Most sessions that one receiver has at once. */
const MAX_SESSIONS = 64;
/** A session that brings nothing for so long is let go, so that another member may have it. */
const IDLE_MS = 250;
/** How often a session that is held is renewed. */
const RENEWALS_PER_LOCK = 3;
/** Messages of one session that may be under way: they are handled one after another. */
const SESSION_CREDITS = 16;

/** Messages with a partition key: session by session, each of which nobody else has meanwhile. */
export class SessionReceiver {
  readonly #options: ReceiverOptions;
  readonly #sessions = new Set<Session>();
  readonly #attempts = new AttemptCounter();
  readonly #stop = new QuietSignal(() => {});
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** The subscription is there already, so that nothing is missed: accepting sessions may begin any time. */
  async open(): Promise<void> {
    this.#running = this.#accept();
  }

  async #accept(): Promise<void> {
    const { connection, topic, subscription, lost } = this.#options;
    const signal = this.#stop;
    while (!signal.aborted) {
      if (this.#sessions.size >= MAX_SESSIONS) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const beganMs = performance.now();
      try {
        const accepting = connection.client.acceptNextSession(topic, subscription, {
          // Core renews, and with it the session.
          maxAutoLockRenewalDurationInMs: 0,
          skipParsingBodyAsJson: true,
          skipConvertingDate: true,
          abortSignal: signal,
        });
        // The SDK may come back with a session after nobody wants one any more.
        accepting
          .then(async (receiver) => {
            if (signal.aborted) await receiver.close();
          })
          .catch(() => {});
        const receiver = await unlessAborted(accepting, signal);
        if (receiver !== undefined && !signal.aborted) this.#serve(receiver);
      } catch (thrown) {
        if (signal.aborted) return;
        const error = mapError(thrown);
        // No session has anything: asked again at once. All else passes, or is told.
        const waitedMs = performance.now() - beganMs;
        if (error.code === 'timeout' && !connection.isDown && waitedMs > RECONNECT_INTERVAL_MS) continue;
        if (error.code === 'not-found' || error.code === 'unauthorized') lost(error);
        await pause(RECONNECT_INTERVAL_MS);
        await connection.awaitReturn(RECONNECT_INTERVAL_MS);
      }
    }
  }

  #serve(receiver: ServiceBusSessionReceiver): void {
    const session = new Session(this.#options, this.#attempts, receiver, () => {
      this.#sessions.delete(session);
      this.#wake?.();
    });
    this.#sessions.add(session);
    try {
      session.begin();
    } catch {
      // Its connection is lost already.
      void session.close();
    }
  }

  /** Resolves when no session that we have has anything left, and none came for a moment. */
  async caughtUp(): Promise<void> {
    const { connection, buffer } = this.#options;
    do {
      await pause(IDLE_MS);
      await buffer.handedOn();
    } while (this.#sessions.size > 0 && !this.#stop.aborted && !connection.isDown);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await Promise.all([...this.#sessions].map((session) => session.stop()));
    await this.#running;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.stop();
      await Promise.all([...this.#sessions].map((session) => session.close()));
    })();
    return this.#closing;
  }
}

/** One session while we have it. */
class Session implements MessageSource {
  readonly connection: Connection;
  readonly lockMs: number;
  readonly isSession = true;
  /** The service itself keeps the order of a session. */
  readonly keepsOrder = false;
  readonly attempts: AttemptCounter;
  readonly isOurs: boolean;
  readonly maxAttempts: number;
  readonly receiver: SettlingReceiver;
  readonly #sdk: ServiceBusSessionReceiver;
  readonly #options: ReceiverOptions;
  readonly #onEnd: () => void;
  #subscriber: { close(): Promise<void> } | undefined;
  #credits = SESSION_CREDITS;
  #unsettled = 0;
  #idle: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #renewedAtMs = performance.now();
  #renewing: Promise<void> | undefined;
  #drained: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #isGone = false;

  constructor(
    options: ReceiverOptions,
    attempts: AttemptCounter,
    receiver: ServiceBusSessionReceiver,
    onEnd: () => void,
  ) {
    this.#options = options;
    this.connection = options.connection;
    this.#sdk = receiver;
    this.receiver = options.connection.isPublic ? new OutcomeTurns(receiver) : receiver;
    this.lockMs = options.lockMs;
    this.attempts = attempts;
    this.isOurs = options.isOurs;
    this.maxAttempts = options.maxAttempts;
    this.#onEnd = onEnd;
  }

  /** A session has one link: what came over it is settled over it, or not at all. */
  get generation(): number {
    return 0;
  }

  begin(): void {
    this.#subscriber = this.#sdk.subscribe(
      {
        processMessage: (message) => this.#take(message),
        // The lock is lost, or the connection: the service gives the session to whoever asks.
        processError: async ({ errorSource }) => {
          if (errorSource === 'receive') void this.close();
        },
      },
      { autoCompleteMessages: false, maxConcurrentCalls: SESSION_CREDITS },
    );
    // Core renews for what it holds: of a session in use that may be nothing, whenever it looks.
    this.#renewal = setInterval(() => void this.renew().catch(() => {}), this.lockMs / RENEWALS_PER_LOCK).unref();
    this.#watchIdle();
  }

  async #take(message: ServiceBusReceivedMessage): Promise<void> {
    // With the link goes the lock: the next who has the session is given it, and nobody would hear what became of it here.
    if (this.#isGone) return;
    clearTimeout(this.#idle);
    this.#unsettled++;
    this.#credits--;
    this.meter(OPERATIONS, operationsFor(message));
    const room = this.#options.buffer.take(this, message, () => this.#credits);
    if (room !== undefined) await room;
    this.#credits++;
  }

  returned(): void {}

  isNew(): boolean {
    return false;
  }

  meter(unit: string, count: number): void {
    this.#options.meter(unit, count);
  }

  settled(): void {
    this.#unsettled--;
    this.#options.buffer.look();
    if (this.#unsettled === 0) this.#watchIdle();
  }

  get unsettled(): number {
    return this.#unsettled;
  }

  /** Every delivery of the session asks for it; once in a while is enough. */
  renew(): Promise<void> {
    if (performance.now() - this.#renewedAtMs < this.lockMs / (2 * RENEWALS_PER_LOCK))
      return this.#renewing ?? Promise.resolve();
    this.#renewedAtMs = performance.now();
    this.#renewing = this.connection.call(this.#sdk.renewSessionLock()).then(() => this.meter(OPERATIONS, 1));
    return this.#renewing;
  }

  #watchIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#letGo(), IDLE_MS);
    this.#idle.unref();
  }

  /**
   * Only when the service has given word that nothing is on its way: what came over a link that is closed could not be settled. The
   * SDK would close the link if that word does not come at once.
   */
  #letGo(): void {
    const link = this.connection.isPublic ? undefined : sessionLinkOf(this.#sdk);
    if (link === undefined || this.#credits <= 0) return void this.close();
    if (link.drain) return;
    link.once('receiver_drained', () => {
      link.drain = false;
      if (this.#unsettled === 0) void this.close();
      else if (this.#stopping === undefined && link.isOpen() && this.#credits > 0) link.addCredit(this.#credits);
    });
    link.drainCredit();
  }

  stop(): Promise<void> {
    clearTimeout(this.#idle);
    this.#stopping ??= (async () => {
      if (this.#subscriber === undefined) return;
      closeQuietly(this.#sdk);
      const ended = this.connection.isPublic ? drained(this.#subscriber) : this.#subscriber.close();
      this.#drained = this.connection.ending(ended);
      await settlesWithin(this.connection.settings.closeTimeoutMs, this.#drained);
    })();
    return this.#stopping;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.stop();
      this.#isGone = true;
      clearInterval(this.#renewal);
      const drained = this.connection.isPublic ? this.#drained : Promise.resolve();
      const ending = this.connection.ending(drained.then(() => closeReceiver(this.#sdk)));
      await settlesWithin(this.connection.settings.closeTimeoutMs, ending);
      if (!this.connection.isPublic) failSessionSettlements(this.#sdk);
      this.#onEnd();
    })();
    return this.#closing;
  }
}

function unlessAborted<Result>(work: Promise<Result>, signal: QuietSignal): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    signal.addEventListener('abort', onAbort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
