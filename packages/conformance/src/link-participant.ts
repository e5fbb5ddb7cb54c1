import type {
  Address,
  BroadcastEvent,
  Participant,
  ParticipantInput,
  PolycastError,
  Signal,
  Transport,
} from '@polycast/core';
import {
  addressesOf,
  Encoder,
  BroadcastEvent as EventClass,
  type EventParts,
  endOfBatch,
  type Lease,
  type Link,
  type Source,
  type SourceRequest,
  sourceOf,
} from '@polycast/core/adapter';
import { show } from './assert.ts';
import type { Sent } from './interfere.ts';
import type { SignalNotes } from './signal-notes.ts';
import { until, within } from './wait.ts';

/** One delivery as an adapter made it, with its lease. */
export interface RawDelivery {
  readonly event: BroadcastEvent;
  readonly lease: Lease | undefined;
}

/** A sink that takes all it is given and settles nothing by itself. */
export class RawInbox {
  readonly deliveries: RawDelivery[] = [];
  readonly corruptions: PolycastError[] = [];
  readonly failures: PolycastError[] = [];
  readonly signal: (signal: Signal) => void;
  source: Source | undefined;
  #limit = 1_000;
  #roomy: (() => void)[] = [];
  readonly #patienceMs: number;

  /** @param signal told what the source reports */
  constructor(patienceMs: number, signal: (signal: Signal) => void) {
    this.#patienceMs = patienceMs;
    this.signal = signal;
  }

  /** Room the sink says it has. */
  get capacity(): number {
    return Math.max(0, this.#limit - this.deliveries.length);
  }

  /** Sets how many deliveries it takes in all. */
  limit(deliveries: number): void {
    this.#limit = deliveries;
    this.release();
  }

  ready(): Promise<void> {
    if (this.capacity > 0) return Promise.resolve();
    return new Promise((resolve) => this.#roomy.push(resolve));
  }

  /** Lets go of whoever waits for room: there is some, or the source is about to stop. */
  release(): void {
    for (const resolve of this.#roomy.splice(0)) resolve();
  }

  deliver(event: BroadcastEvent, lease?: Lease): boolean {
    this.deliveries.push({ event, lease });
    return true;
  }

  corrupt(error: PolycastError): void {
    this.corruptions.push(error);
  }

  failed(error: PolycastError): void {
    this.failures.push(error);
  }

  get data(): readonly unknown[] {
    return this.deliveries.map(({ event }) => event.data);
  }

  async until(count: number): Promise<void> {
    await until(
      () => this.deliveries.length >= count,
      this.#patienceMs,
      () => `expected ${count} deliveries from the source, got ${this.deliveries.length}: ${show(this.data)}`,
    );
  }

  /** The next delivery after `count` of them. */
  async at(index: number): Promise<RawDelivery> {
    await this.until(index + 1);
    return this.deliveries[index]!;
  }
}

/** A participant that uses a transport as core does, without core: to see what the adapter itself does. */
export class LinkParticipant {
  readonly self: Participant;
  readonly link: Link;
  readonly signals: Signal[];
  readonly metered: Map<string, number>;
  readonly #topic: string;
  readonly #patienceMs: number;
  readonly #inboxes: RawInbox[] = [];
  readonly #signal: (signal: Signal) => void;
  readonly #limits: Transport['manifest']['limits'];
  readonly #encoder: Encoder;
  readonly #epoch: string;
  #published = 0;
  #closed = false;

  private constructor(init: {
    self: Participant;
    link: Link;
    signals: Signal[];
    metered: Map<string, number>;
    topic: string;
    patienceMs: number;
    signal: (signal: Signal) => void;
    manifest: Transport['manifest'];
  }) {
    this.#limits = init.manifest.limits;
    this.#encoder = new Encoder(init.link, init.manifest);
    this.#signal = init.signal;
    this.self = init.self;
    this.link = init.link;
    this.signals = init.signals;
    this.metered = init.metered;
    this.#topic = init.topic;
    this.#patienceMs = init.patienceMs;
    this.#epoch = `raw${Date.now().toString(36)}${Math.floor(Math.random() * 1e9).toString(36)}`;
  }

  static async open(
    transport: Transport,
    topic: string,
    input: ParticipantInput,
    patienceMs: number,
    notes?: SignalNotes,
  ): Promise<LinkParticipant> {
    const self: Participant = {
      role: input.role ?? 'default',
      instance: input.instance ?? `raw-${Math.floor(Math.random() * 1e12).toString(36)}`,
    };
    const signals: Signal[] = [];
    const metered = new Map<string, number>();
    const signal = (told: Signal) => {
      signals.push(told);
      notes?.add(told);
    };
    const link = await within(
      transport.open({
        topic,
        self,
        signal,
        meter: (unit, count) => metered.set(unit, (metered.get(unit) ?? 0) + count),
      }),
      patienceMs * 2,
      'open a link',
    );
    return new LinkParticipant({
      self,
      link,
      signals,
      metered,
      topic,
      patienceMs,
      signal,
      manifest: transport.manifest,
    });
  }

  /** `group` is the name alone, as users write it. */
  async subscribe(request: Partial<SourceRequest> = {}): Promise<RawInbox> {
    const own = addressesOf(this.self);
    const { group } = request;
    const inbox = new RawInbox(this.#patienceMs, this.#signal);
    inbox.source = await this.link.subscribe(
      {
        addresses: group === undefined ? own : own.slice(0, 2),
        durable: undefined,
        startFrom: 'new',
        filter: undefined,
        lockMs: 30_000,
        pollTimeoutMs: 1_000,
        maxDeliveries: 100,
        maxUnsettled: 1_000,
        ...request,
        group: group === undefined ? undefined : `${this.self.role}/${group}`,
      },
      inbox,
    );
    this.#inboxes.push(inbox);
    return inbox;
  }

  /**
   * Sends data, each as one event: encoded as core encodes, in batches as large as the transport's limits allow.
   * @param options.maxBatch and no more events than this in one: 1 if left out
   */
  async publish(
    data: readonly unknown[],
    options: {
      to?: readonly Address[];
      parts?: Partial<EventParts>;
      expiresAtMs?: number;
      topic?: string;
      maxBatch?: number;
    } = {},
  ): Promise<void> {
    const expiresAtMs = options.expiresAtMs ?? Number.POSITIVE_INFINITY;
    const to = options.to ?? ['*'];
    const entries = data.map((value): { outgoing: Sent } => {
      const attributes = {
        datacontenttype: 'application/json',
        ...options.parts?.attributes,
        ...(to.length === 1 && to[0] === '*' ? {} : { to: to.join(',') }),
      };
      const event = new EventClass({
        type: 'conformance.raw',
        source: sourceOf(this.self),
        id: `${this.#epoch}.${++this.#published}`,
        time: Date.now(),
        expiresAtMs,
        data: this.#encoder.dataOf(value),
        ...options.parts,
        attributes,
      });
      const encoded = this.#encoder.encode(event);
      return { outgoing: { event, topic: options.topic ?? this.#topic, to, encoded, expiresAtMs } };
    });
    const maxBatchEvents = Math.min(this.#limits.maxBatchEvents, options.maxBatch ?? 1);
    const limits = { ...this.#limits, maxBatchEvents };
    for (let at = 0, end = 0; at < entries.length; at = end) {
      end = endOfBatch(entries, at, limits);
      const errors = await this.link.publish(entries.slice(at, end).map(({ outgoing }) => outgoing));
      const error = errors?.find((one) => one !== undefined);
      if (error !== undefined) throw error;
    }
  }

  /** Ends one source as core would: stop, then release what was not settled, then close. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const inbox of this.#inboxes) {
      const stopping = inbox.source?.stop();
      inbox.release();
      await stopping;
    }
    for (const inbox of this.#inboxes) await inbox.source?.close();
    await this.link.close();
  }
}
