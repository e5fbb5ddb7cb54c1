import type { ServiceBusClient, ServiceBusSender } from '@azure/service-bus';
import { type PolycastError, pause } from '@polycast/core/adapter';
import type { ConnectionEvents, ConnectionWatch } from '../connection-watch.ts';
import { mapError } from '../map-error.ts';

/** How often it is looked whether the link is still there, ms. Nothing is sent while it is. */
const LOOK_MS = 250;
/** The service closes links that are idle for ten minutes. */
const MAX_LINK_AGE_MS = 240_000;

/** A service that is there says by then, ms, that a topic is not. */
const ANSWER_MS = 1_000;

export interface PublicWatchOptions {
  readonly client: ServiceBusClient;
  readonly keepAliveMs: number;
  readonly events: ConnectionEvents;
  /** Do links of other topics use the connection, too? */
  isShared(): boolean;
  /** Bounds the wait for an answer. */
  call<Answer>(calling: Promise<Answer>): Promise<Answer>;
}

/**
 * Knows of the connection by a link of its own, over which nothing is sent: when the connection is lost, so is the link, and the SDK
 * opens it again when it is next asked how large a batch may be, which costs nothing while the link is there. A service that is silent is noticed
 * by a new link, twice each `keepAliveMs`; that ends nothing, since the SDK offers no way to: its own limit of two minutes does.
 */
export class PublicConnectionWatch implements ConnectionWatch {
  readonly #options: PublicWatchOptions;
  #topic = '';
  #sender: ServiceBusSender | undefined;
  #looking: NodeJS.Timeout | undefined;
  #renewing: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isDown = false;
  /** It did not answer: a link that is there proves nothing. */
  #isSilent = false;
  #isEnded = false;

  constructor(options: PublicWatchOptions) {
    this.#options = options;
  }

  start(topic: string): void {
    const isMoved = this.#topic !== '';
    this.#topic = topic;
    void this.#renew();
    if (isMoved) return;
    const { keepAliveMs } = this.#options;
    this.#looking = setInterval(() => void this.#look(), LOOK_MS).unref();
    this.#renewing = setInterval(() => void this.#renew(), Math.min(keepAliveMs / 2, MAX_LINK_AGE_MS)).unref();
  }

  suspect(error: PolycastError): void {
    if (this.#topic === '') return;
    this.#down(error);
    void this.#look();
  }

  /** Over TCP the SDK offers no way: it notices by itself, or the service answers again. */
  drop(): void {
    this.#isSilent = true;
    this.#options.events.terminate();
    this.#down(undefined);
  }

  end(): void {
    this.#isEnded = true;
    clearInterval(this.#looking);
    clearInterval(this.#renewing);
    void this.#sender?.close().catch(() => {});
  }

  release(): void {
    this.#options.events.terminate();
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#isEnded) return;
    if (this.#sender === undefined || this.#isSilent) return this.#renew();
    this.#isLooking = true;
    try {
      await this.#open(this.#sender);
      this.#up();
    } catch (thrown) {
      this.#failed(thrown);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Opens the link if it is not there, which is told. */
  async #open(sender: ServiceBusSender): Promise<void> {
    const opening = this.#options.call(sender.createMessageBatch());
    let isOpen = false;
    opening.then(
      () => {
        isOpen = true;
      },
      () => {},
    );
    // Of a link that is there it is known without waiting for the service.
    await nextTurn();
    if (!isOpen && this.#options.isShared() && (await this.#isRefused(opening))) return;
    if (!isOpen) this.#down(undefined);
    await opening;
  }

  /** The topic is gone, and with it its link alone: those of other topics must not be told of a loss. */
  async #isRefused(opening: Promise<unknown>): Promise<boolean> {
    const refused = opening.then(
      () => false,
      (thrown: unknown) => !isLoss(mapError(thrown)),
    );
    return Promise.race([refused, pause(ANSWER_MS).then(() => false)]);
  }

  /** A new link, whose opening the service must answer; then the one before is looked at for the last time, and closed. */
  async #renew(): Promise<void> {
    if (this.#isLooking || this.#isEnded) return;
    this.#isLooking = true;
    const sender = this.#options.client.createSender(this.#topic);
    const before = this.#sender;
    try {
      await this.#options.call(sender.createMessageBatch());
      this.#isSilent = false;
      if (before !== undefined) await this.#open(before);
      this.#sender = sender;
      this.#up();
      void before?.close().catch(() => {});
    } catch (thrown) {
      void sender.close().catch(() => {});
      this.#failed(thrown);
    } finally {
      this.#isLooking = false;
      if (this.#isEnded) void this.#sender?.close().catch(() => {});
    }
  }

  #failed(thrown: unknown): void {
    const error = mapError(thrown);
    // A service that refuses has answered. Who may only listen has no link to watch.
    if (isLoss(error)) this.#down(error);
    else this.#up();
  }

  #down(error: unknown): void {
    if (this.#isDown || this.#isEnded) return;
    this.#isDown = true;
    this.#options.events.onDown(error);
  }

  #up(): void {
    if (!this.#isDown || this.#isEnded || this.#isSilent) return;
    this.#isDown = false;
    this.#options.events.onUp();
  }
}

function isLoss({ code }: PolycastError): boolean {
  return code === 'disconnected' || code === 'timeout' || code === 'unreachable';
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
