import { randomUUID } from 'node:crypto';
import type {
  BroadcastEvent,
  EncodedJson,
  ErrorCode,
  Lease,
  Link,
  LinkContext,
  Manifest,
  OptionTable,
  Outgoing,
  ReconnectingOptions,
  SettingsOf,
  Share,
  Sink,
  Source,
  SourceRequest,
  Transport,
} from '@polycast/core/adapter';
import {
  CORE,
  checkOptions,
  decodeEvents,
  divideLease,
  option,
  PolycastError,
  pollingSource,
  Reconnecting,
  readUrlOptions,
  Shared,
  within,
} from '@polycast/core/adapter';
import { type Answer, Client, type Entry } from './client.ts';

// ── 1. The manifest: what the service does itself, what core adds on top, and what is not offered ──

const native = { level: 'native' } as const;
const emulated = { level: 'emulated' } as const;
const none = { level: 'none' } as const;
const manifest: Manifest = {
  transport: 'line-log',
  title: 'A small log broker, by JSON lines over TCP',
  guarantee: 'at-least-once',
  capabilities: {
    ...{ everyone: native, role: native, instance: native, fanOut: native, groups: native },
    ...{ settlement: native, redelivery: native, crashRedelivery: native, delayedRelease: native, lock: native },
    ...{ durable: native, replay: native, order: native, partitionKey: native },
    ...{ backPressure: native, confirm: native, binary: native },
    ...{ carbonCopy: emulated, deadLetter: emulated, dedupe: emulated, gapDetection: emulated, chunking: emulated },
    ...{ members: emulated, request: emulated, ttl: { ...emulated, numbers: { granularityMs: 1 } } },
    ...{ filterPushDown: none, endpoint: none },
  },
  limits: { maxEventBytes: 256_000, maxBatchEvents: 100, maxBatchBytes: 1_000_000, maxBatchesInFlight: 1 },
  billedUnits: ['requests'],
};

// ── 2. Options and URL: one table, from which come checks, defaults and parameters ──

export interface LineLogOptions {
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** @default 7411 */
  readonly port?: number;
  /** Maximum wait for a connection, and for the answer to a request, ms. @default 10_000 */
  readonly timeoutMs?: number;
  /** How often the broker is asked whether it is there, ms. Silence for one of these is reported, for six ends the connection. @default 5_000 */
  readonly pingIntervalMs?: number;
}

const OPTIONS = {
  host: option.string({ default: '127.0.0.1' }),
  port: option.integer({ min: 1, max: 65_535, default: 7_411 }),
  timeoutMs: option.duration({ min: 1, default: 10_000, inUrl: true }),
  pingIntervalMs: option.duration({ min: 10, default: 5_000, inUrl: true }),
} satisfies OptionTable<LineLogOptions>;
type Settings = SettingsOf<typeof OPTIONS>;

/** Making a transport connects to nothing. @throws PolycastError `invalid-configuration` */
export function lineLog(options: LineLogOptions = {}): Transport {
  const settings = checkOptions('lineLog()', OPTIONS, options);
  const connections = new Shared(
    (abortSignal) => openConnection(settings, abortSignal),
    (connection) => connection.close(),
  );
  return {
    manifest,
    core: CORE,
    location: `line-log://${settings.host}:${settings.port}`,
    async open(context) {
      return new LineLogLink(context, settings, await connections.acquire(context.abortSignal));
    },
  };
}

/** `line-log://host:port?timeoutMs=…`: what `connect({ url })` calls. @throws PolycastError `invalid-configuration` */
export function fromUrl(url: URL): Transport {
  const { hostname, port } = url;
  return lineLog({
    ...readUrlOptions(url, OPTIONS),
    ...(hostname && { host: hostname }),
    ...(port && { port: Number(port) }),
  });
}

// ── 3. Errors: what the broker and the socket say, in the codes of Polycast ──

const CODES: Readonly<Record<string, ErrorCode>> = {
  ...{ busy: 'throttled', 'not-yours': 'lock-lost', 'no-cursor': 'not-found', invalid: 'invalid-configuration' },
  ...{ ECONNREFUSED: 'unreachable', ENOTFOUND: 'unreachable', EHOSTUNREACH: 'unreachable', ETIMEDOUT: 'unreachable' },
  ...{ ECONNRESET: 'disconnected', EPIPE: 'disconnected', 'not-a-broker': 'protocol-mismatch' },
};

export function mapError(thrown: unknown): PolycastError {
  if (thrown instanceof PolycastError) return thrown;
  const { code, message, retryAfterMs } = Object(thrown) as NonNullable<Answer['error']>;
  return new PolycastError(CODES[code] ?? 'internal', `${message}`, { cause: thrown, retryAfterMs });
}

// ── 4. The connection, which all links of a transport share: made anew when it is lost ──

type Connection = Reconnecting<Client>;

function openConnection(
  { host, port, timeoutMs, pingIntervalMs }: Settings,
  abortSignal: AbortSignal,
): Promise<Connection> {
  const ask = (client: Client) => client.call({ do: 'hello' });
  const options: ReconnectingOptions<Client> = {
    async connect(abortSignal) {
      const client = new Client(host, port);
      const late = () => new PolycastError('unreachable', 'the broker did not answer in time');
      try {
        await within(timeoutMs, ask(client), { abortSignal, late });
        return client;
      } catch (thrown) {
        client.close();
        throw mapError(thrown);
      }
    },
    watch: (client, lost) => client.onClose((reason) => lost(mapError(reason))),
    close: (client) => client.close(),
    keepAlive: { intervalMs: pingIntervalMs, ask },
    mayHaveLost: false,
  };
  return Reconnecting.open(options, abortSignal);
}

// ── 5. The link: one broadcaster's part in the connection ──

/** Maximum wait for the answer to a goodbye, ms: closing must end while the broker is silent. */
const CLOSE_WITHIN_MS = 1_000;

class LineLogLink implements Link<EncodedJson> {
  readonly #context: LinkContext;
  readonly #timeoutMs: number;
  readonly #share: Share<Connection>;
  readonly #monitor: { leave(): void };

  constructor(context: LinkContext, { timeoutMs }: Settings, share: Share<Connection>) {
    this.#context = context;
    this.#timeoutMs = timeoutMs;
    this.#share = share;
    this.#monitor = share.value.monitor.join(context.signal);
  }

  async publish(batch: readonly Outgoing[]): Promise<void> {
    const entries = batch.map(({ topic, to, event, encoded }) => {
      return { topic, to, key: event.partitionkey, event: encoded.json };
    });
    await this.#call({ do: 'append', entries });
  }

  async close(): Promise<void> {
    this.#monitor.leave();
    await this.#share.release();
  }

  async #call(request: object, timeoutMs = this.#timeoutMs): Promise<Answer> {
    this.#context.meter('requests', 1);
    try {
      return await within(timeoutMs, this.#share.value.client.call(request));
    } catch (thrown) {
      throw mapError(thrown);
    }
  }

  /** Retried if the connection was lost. If the broker had settled it already, the entry is no longer ours. */
  #settle(request: object): Promise<void> {
    return this.#share.value.insist(
      () => this.#call({ do: 'settle', ...request }),
      ({ code }) => code === 'lock-lost',
    );
  }

  // ── 6. The source: what one subscription brings ──

  async subscribe(request: SourceRequest, sink: Sink): Promise<Source> {
    const { addresses, group, durable, lockMs, pollTimeoutMs } = request;
    const { topic, self } = this.#context;
    const consumer = randomUUID();
    // A group, and a durable subscription, have a name that others find again; any other subscription is of this source alone.
    const cursor = group ?? (durable === undefined ? consumer : `${self.instance} ${durable}`);
    const at = { topic, cursor, consumer };
    let { startFrom } = request;
    let losses = -1;
    const listen = async () => {
      const kind = { isDurable: durable !== undefined, isGroup: group !== undefined };
      const answer = await this.#call({ do: 'listen', ...at, ...kind, addresses, startFrom });
      // The broker forgot us while we were away, and what was to come again: we go on from where we were.
      if (losses >= 0 && answer.isNew) sink.signal({ kind: 'gap', reason: 'trimmed' });
      if (losses < 0 || answer.isNew) losses = answer.losses;
      if (startFrom === 'new') startFrom = { after: `${answer.newestId}` };
    };
    await listen();
    this.#share.value.onReturn.add(listen);

    return pollingSource<Entry>(sink, {
      pollTimeoutMs,
      maxMessages: 100,
      poll: async (most, waitMs) => {
        const take = { do: 'take', ...at, most, waitMs, lockMs, losses };
        const answer = await this.#call(take, waitMs + this.#timeoutMs);
        if (answer.losses > losses) sink.signal({ kind: 'gap', reason: 'trimmed' });
        losses = Math.max(losses, answer.losses);
        return answer.entries;
      },
      deliver: ({ id, attempt, ageMs, event: text }) => {
        startFrom = { after: `${id}` };
        const settle: Lease['settle'] = (settlement) => {
          if (settlement.kind !== 'release') return this.#settle({ ...at, id });
          const { delayMs, attempts = attempt } = settlement;
          return this.#settle({ ...at, id, again: { delayMs, attempt: attempts + 1 } });
        };
        const renew = async () => void (await this.#call({ do: 'renew', ...at, id, lockMs }));
        const events: BroadcastEvent[] = [];
        const take = (event: BroadcastEvent) => events.push(event);
        decodeEvents(text, take, (error) => sink.corrupt(error));
        const shares = divideLease({ attempt, ageMs, position: `${id}`, settle, renew }, events.length);
        for (const [n, event] of events.entries()) sink.deliver(event, shares[n]);
        // What holds no event must not come again.
        if (events.length === 0) this.#settle({ ...at, id }).catch(() => {});
      },
      interrupt: () => {
        this.#share.value.onReturn.delete(listen);
        return this.#call({ do: 'stop', ...at }, CLOSE_WITHIN_MS);
      },
      close: () => this.#call({ do: 'leave', ...at }, CLOSE_WITHIN_MS),
    });
  }
}
