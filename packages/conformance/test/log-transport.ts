import type { Manifest, Transport } from '@polycast/core';
import {
  decodeEvents,
  type Lease,
  type Link,
  type LinkContext,
  type Outgoing,
  PolycastError,
  type Pushed,
  type Sink,
  type Source,
  type SourceRequest,
} from '@polycast/core/adapter';
import { comparing } from '../src/filter-targets.ts';
import type { ConformanceTarget } from '../src/index.ts';
import { evaluating } from '../src/push-down.ts';
import { type Cursor, type Entry, LogBroker } from './log-broker.ts';

const native = { level: 'native' } as const;
const emulated = { level: 'emulated' } as const;

const MANIFEST: Manifest = {
  transport: 'log',
  title: 'A log in this process that can be cut, killed and frozen',
  guarantee: 'at-least-once',
  capabilities: {
    everyone: native,
    fanOut: native,
    endpoint: { level: 'none' },
    role: native,
    instance: native,
    carbonCopy: emulated,
    groups: native,
    settlement: native,
    redelivery: native,
    crashRedelivery: native,
    delayedRelease: native,
    deadLetter: emulated,
    lock: native,
    durable: native,
    replay: native,
    ttl: { ...native, numbers: { granularityMs: 5 } },
    order: native,
    partitionKey: native,
    dedupe: emulated,
    gapDetection: emulated,
    members: emulated,
    request: emulated,
    chunking: emulated,
    binary: native,
    filterPushDown: native,
    backPressure: native,
    confirm: native,
  },
  limits: { maxEventBytes: 2_000_000, maxBatchEvents: 100, maxBatchBytes: 8_000_000, maxBatchesInFlight: 1 },
  billedUnits: ['appends', 'fetches'],
};

/** A target with every fault there is. */
export function logTarget(): ConformanceTarget {
  const broker = new LogBroker();
  const links = new Map<Transport, LogLink[]>();
  const state = (next: LogBroker['state']) => async () => {
    if (next === 'down') broker.generation++;
    broker.state = next;
    broker.wake();
  };
  return {
    name: 'log',
    url: 'log://user:secret@here',
    transport() {
      const transport: Transport = {
        manifest: MANIFEST,
        filterTarget: evaluating(comparing),
        location: 'log://here',
        async open(context) {
          await new Promise((resolve) => setImmediate(resolve));
          for (let waits = 0; broker.state === 'frozen' && waits < 100; waits++) {
            if (context.abortSignal?.aborted) throw new PolycastError('aborted', 'connecting was aborted');
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          if (broker.state !== 'up') throw new PolycastError('unreachable', 'the broker is down');
          const link = new LogLink(broker, context);
          links.set(transport, [...(links.get(transport) ?? []), link]);
          return link;
        },
      };
      return transport;
    },
    faults: {
      async restart() {
        await state('down')();
        await new Promise((resolve) => setTimeout(resolve, 50));
        await state('up')();
      },
      kill: state('down'),
      start: state('up'),
      freeze: state('frozen'),
      thaw: state('up'),
      async cut() {
        broker.generation++;
        broker.wake();
      },
      async throttle(leastMs) {
        broker.pauseMs = leastMs;
        return leastMs;
      },
      async trim(topic) {
        broker.trim(topic);
      },
      async abandon(transport) {
        for (const link of links.get(transport) ?? []) link.abandon();
      },
    },
    residue: async (topic) => broker.residue(topic),
    inject: async (topic, bytes) =>
      broker.append(topic, [
        { to: ['*'], bytes, key: undefined, attributes: {}, expiresAtMs: Number.POSITIVE_INFINITY },
      ]),
  };
}

class LogLink implements Link {
  readonly #broker: LogBroker;
  readonly #context: LinkContext;
  #generation: number;
  #isLost = false;
  #state: 'open' | 'abandoned' | 'closed' = 'open';

  constructor(broker: LogBroker, context: LinkContext) {
    this.#broker = broker;
    this.#context = context;
    this.#generation = broker.generation;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  abandon(): void {
    this.#state = 'abandoned';
    this.#broker.wake();
  }

  async publish(batch: readonly Outgoing[]): Promise<void> {
    await this.#call(() => {
      const retryAfterMs = this.#broker.pauseMs;
      this.#broker.pauseMs = 0;
      if (retryAfterMs > 0) throw new PolycastError('throttled', 'the broker is busy', { retryAfterMs });
      for (const { event, to, topic, encoded, expiresAtMs } of batch) {
        const key = typeof event.partitionkey === 'string' ? event.partitionkey : undefined;
        const { id, source, type, time } = event;
        const attributes = { ...event.attributes, specversion: '1.0', id, source, type, time };
        const entry = { to, bytes: new TextEncoder().encode(encoded.json), key, attributes, expiresAtMs };
        this.#broker.append(topic, [entry]);
      }
      this.#context.meter('appends', batch.length);
    });
  }

  async subscribe(request: SourceRequest, sink: Sink): Promise<Source> {
    const consumer = {};
    const { topic, self } = this.#context;
    const { group, durable, addresses, startFrom, filter, lockMs } = request;
    const name =
      group !== undefined
        ? `group:${group}`
        : durable !== undefined
          ? `durable:${self.instance}:${durable}`
          : `dynamic:${Math.random()}`;
    const cursor = await this.#call(() =>
      this.#broker.listen(topic, name, consumer, {
        addresses,
        isDurable: durable !== undefined,
        from: startFrom,
        filter: filter as Pushed | undefined,
      }),
    );
    let isStopped = false;
    const waiting: (() => void)[] = [];
    /** All that was there has been handed over, or nothing more will be. */
    const caughtUp = () => {
      for (const resolve of waiting.splice(0)) resolve();
    };
    const pump = async () => {
      while (!isStopped && this.isOpen) {
        if (sink.capacity <= 0) await Promise.race([sink.ready(), this.#broker.change()]);
        if (isStopped || !this.isOpen) return;
        try {
          const most = Math.min(sink.capacity, 100);
          const taken = await this.#call(() => (isStopped ? [] : this.#broker.take(cursor, consumer, most, lockMs)));
          this.#context.meter('fetches', 1);
          if (cursor.hasLost) sink.signal({ kind: 'gap', reason: 'trimmed' });
          cursor.hasLost = false;
          for (const { entry, attempt } of taken) this.#deliver(sink, cursor, consumer, entry, attempt, lockMs);
          if (taken.length > 0) continue;
          caughtUp();
          await this.#broker.change();
        } catch {
          caughtUp();
          await this.#broker.change();
        }
      }
    };
    const pumping = pump().finally(caughtUp);
    return {
      caughtUp: () =>
        isStopped || !this.isOpen
          ? Promise.resolve()
          : new Promise<void>((resolve) => {
              waiting.push(resolve);
              this.#broker.wake();
            }),
      stop: async () => {
        isStopped = true;
        this.#broker.wake();
        if (this.#broker.state !== 'frozen') await pumping;
      },
      close: async () => {
        this.#broker.leave(topic, cursor, consumer);
      },
    };
  }

  #deliver(sink: Sink, cursor: Cursor, consumer: object, entry: Entry, attempt: number, lockMs: number): void {
    const settle = async (how: 'drop' | { delayMs: number; attempts?: number }): Promise<void> => {
      for (;;) {
        try {
          const mine = await this.#call(() => this.#broker.settle(cursor, entry.id, consumer, how));
          if (!mine) throw new PolycastError('lock-lost', `entry ${entry.id} is with another consumer`);
          return;
        } catch (thrown) {
          if (!(thrown instanceof PolycastError && thrown.retryable) || !this.isOpen) throw thrown;
          await this.#broker.change();
        }
      }
    };
    const lease: Lease = {
      attempt,
      position: String(entry.id),
      settle: (settlement) => settle(settlement.kind === 'release' ? settlement : 'drop'),
      renew: async () => {
        const mine = await this.#call(() => this.#broker.renew(cursor, entry.id, consumer, lockMs));
        if (!mine) throw new PolycastError('lock-lost', `entry ${entry.id} is with another consumer`);
      },
    };
    let isLeased = false;
    const corrupt = (error: PolycastError) => sink.corrupt(error);
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(entry.bytes);
    } catch (cause) {
      corrupt(new PolycastError('corrupt-event', 'not UTF-8', { cause }));
      void settle('drop').catch(() => {});
      return;
    }
    decodeEvents(
      text,
      (event) => {
        sink.deliver(event, isLeased ? undefined : lease);
        isLeased = true;
      },
      corrupt,
    );
    if (!isLeased) void settle('drop').catch(() => {});
  }

  /** A round trip. Breaks with the connection, waits while the broker is frozen. */
  async #call<Result>(deed: () => Result): Promise<Result> {
    await new Promise((resolve) => setImmediate(resolve));
    const broker = this.#broker;
    const began = performance.now();
    let isTold = false;
    while (broker.state === 'frozen' && this.#state === 'open') {
      await broker.change();
      if (!isTold && performance.now() - began > 200) {
        isTold = true;
        this.#context.signal({ kind: 'stalled', what: 'server', sinceMs: performance.now() - began });
      }
    }
    if (this.#state !== 'open') throw new PolycastError('closed', 'the link is closed');
    if (this.#generation !== broker.generation) {
      const error = new PolycastError('disconnected', 'the connection was lost');
      this.#lose(error);
      throw error;
    }
    return deed();
  }

  /** Tells that the connection is lost, and gets it back. */
  #lose(error: PolycastError): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#context.signal({ kind: 'disconnected', error });
    const lostAtMs = performance.now();
    const reconnect = async () => {
      do await this.#broker.change();
      while (this.#broker.state !== 'up' && this.#state === 'open');
      this.#isLost = false;
      if (this.#state !== 'open') return;
      this.#generation = this.#broker.generation;
      this.#context.signal({ kind: 'reconnected', downMs: performance.now() - lostAtMs, mayHaveLost: false });
    };
    void reconnect();
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#broker.wake();
  }
}
