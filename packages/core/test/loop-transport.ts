import {
  BroadcastEvent,
  CAPABILITIES,
  type Capability,
  type CapabilityName,
  decodeEvents,
  type EncodedJson,
  type Lease,
  type Link,
  type LinkContext,
  type Manifest,
  type Outgoing,
  type PolycastError,
  type Sink,
  type Source,
  type SourceRequest,
  type Transport,
} from '../src/adapter.ts';

/** A transport whose wire a test holds in its hands: JSON goes out to `sent`, and comes in through `receive`. */
export class LoopTransport implements Transport {
  readonly manifest: Manifest;
  readonly location = `loop:${Math.random()}`;
  readonly sent: Outgoing[][] = [];
  readonly sinks: { sink: Sink; request: SourceRequest }[] = [];
  context: LinkContext | undefined;
  /** What becomes of a batch; by default it is taken at once. */
  onPublish: (batch: readonly Outgoing[]) => void | Promise<void | readonly (PolycastError | undefined)[]> = () => {};
  /** Before a source is open. */
  onSubscribe: (request: SourceRequest) => void | Promise<void> = () => {};
  /** What an event becomes on the wire; left out: core's JSON. */
  encode: ((event: BroadcastEvent, before?: EncodedJson) => EncodedJson) | undefined;
  /** Deliver what is sent to all sinks at once. */
  loops = true;

  constructor(
    levels: Partial<Record<CapabilityName, Capability['level']>> = {},
    limits: Partial<Manifest['limits']> = {},
  ) {
    const capabilities = Object.fromEntries(
      (Object.keys(CAPABILITIES) as CapabilityName[]).map((name) => [
        name,
        { level: levels[name] ?? DEFAULTS[name] ?? 'emulated' },
      ]),
    ) as unknown as Manifest['capabilities'];
    this.manifest = {
      transport: 'loop',
      title: 'A wire in a test',
      guarantee: 'at-most-once',
      capabilities,
      limits: {
        maxEventBytes: 100_000,
        maxBatchEvents: 100,
        maxBatchBytes: 1_000_000,
        maxBatchesInFlight: 2,
        ...limits,
      },
      billedUnits: ['message'],
    };
  }

  async open(context: LinkContext): Promise<Link> {
    this.context = context;
    return {
      ...(this.encode !== undefined && { encode: this.encode }),
      publish: (batch: readonly Outgoing[]) => {
        this.sent.push([...batch]);
        context.meter('message', batch.length);
        if (this.loops) {
          for (const { encoded, topic } of batch) if (topic === context.topic) this.receive(encoded.json);
        }
        return this.onPublish(batch);
      },
      subscribe: (request, sink) => {
        const held = this.onSubscribe(request);
        return held === undefined ? this.#listen(request, sink) : held.then(() => this.#listen(request, sink));
      },
      close: async () => {},
    };
  }

  #listen(request: SourceRequest, sink: Sink): Source {
    const entry = { sink, request };
    this.sinks.push(entry);
    const stop = async () => {
      const at = this.sinks.indexOf(entry);
      if (at >= 0) this.sinks.splice(at, 1);
    };
    return { stop, close: stop };
  }

  /** Something came off the wire. */
  receive(json: string, lease?: Lease): void {
    for (const { sink } of this.sinks.slice(0, lease === undefined ? undefined : 1)) {
      decodeEvents(
        json,
        (event) => void sink.deliver(event, lease),
        (error) => sink.corrupt(error),
      );
    }
  }
}

const DEFAULTS: Partial<Record<CapabilityName, Capability['level']>> = {
  backPressure: 'none',
  delayedRelease: 'emulated',
};

let nextId = 1;

/** An event as a stranger would write it. */
export function stranger(data: unknown, attributes: Record<string, string | number | boolean> = {}): string {
  return JSON.stringify({
    specversion: '1.0',
    id: `s-${nextId++}`,
    source: '/stranger',
    type: 'told',
    data,
    ...attributes,
  });
}

/** A lease that keeps what it is told. */
export function leaseOf(attempt = 1): Lease & { settled: string[]; renewals: number } {
  const lease = {
    attempt,
    settled: [] as string[],
    renewals: 0,
    settle: (settlement: { kind: string }) => void lease.settled.push(settlement.kind),
    renew: async () => void lease.renewals++,
  };
  return lease;
}

export { BroadcastEvent };
