import {
  type Address,
  BroadcastEvent,
  type EncodedJson,
  encodeEvent,
  type Lease,
  type Link,
  type Outgoing,
  type PolycastError,
  type Signal,
  type Sink,
  type SourceRequest,
  type Transport,
} from '@polycast/core/adapter';

/** A sink that takes everything and accepts nothing by itself. */
export class FakeSink implements Sink {
  readonly delivered: { event: BroadcastEvent; lease: Lease | undefined }[] = [];
  readonly corrupted: PolycastError[] = [];
  readonly failures: PolycastError[] = [];
  readonly signals: Signal[] = [];
  /** Hears what the source reports, too. */
  onSignal: ((signal: Signal) => void) | undefined;
  capacity = 1_000;
  onDeliver: ((event: BroadcastEvent, lease: Lease | undefined) => void) | undefined;
  #wake: (() => void) | undefined;

  ready(): Promise<void> {
    if (this.capacity > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  setCapacity(capacity: number): void {
    this.capacity = capacity;
    this.#wake?.();
  }

  deliver(event: BroadcastEvent, lease?: Lease): boolean {
    this.delivered.push({ event, lease });
    this.onDeliver?.(event, lease);
    return true;
  }

  signal(signal: Signal): void {
    this.signals.push(signal);
    this.onSignal?.(signal);
  }

  corrupt(error: PolycastError): void {
    this.corrupted.push(error);
  }

  failed(error: PolycastError): void {
    this.failures.push(error);
  }

  get ids(): string[] {
    return this.delivered.map(({ event }) => event.id);
  }
}

export interface OpenLink {
  readonly link: Link;
  readonly signals: Signal[];
  readonly topic: string;
}

let topics = 0;
export const freshTopic = () => `t${process.pid}-${topics++}`;

export async function openLink(
  transport: Transport,
  topic: string,
  instance = 'one',
  role = 'tester',
): Promise<OpenLink> {
  const signals: Signal[] = [];
  const link = await transport.open({
    topic,
    self: { instance, role },
    signal: (signal) => signals.push(signal),
    meter: () => {},
  });
  const subscribe = link.subscribe.bind(link);
  link.subscribe = (request, sink) => {
    if (sink instanceof FakeSink) sink.onSignal = (signal) => signals.push(signal);
    return subscribe(request, sink);
  };
  return { link, signals, topic };
}

/** As core encodes for a link that does not. */
export function encodedOf(event: BroadcastEvent): EncodedJson {
  const json = encodeEvent(event);
  return { size: json.length, json };
}

export function outgoing(
  topic: string,
  id: string,
  to: readonly Address[] = ['*'],
  data: unknown = id,
  partitionkey?: string,
): Outgoing {
  const attributes = {
    ...(to[0] === '*' ? {} : { to: to.join(',') }),
    ...(partitionkey === undefined ? {} : { partitionkey }),
  };
  const event = new BroadcastEvent({ type: 'test', source: '/tester/one', id, data, attributes });
  return { event, topic, to, encoded: encodedOf(event), expiresAtMs: Number.POSITIVE_INFINITY };
}

/** As core asks. @param more with the name of a group alone: it belongs to the role */
export function request(
  more: Partial<SourceRequest> = {},
  { role = 'tester', instance = 'one' }: { readonly role?: string; readonly instance?: string } = {},
): SourceRequest {
  const ofRole: readonly Address[] = ['*', `role:${role}`];
  return {
    addresses: more.group === undefined ? [...ofRole, `instance:${instance}`] : ofRole,
    durable: undefined,
    startFrom: 'new',
    filter: undefined,
    lockMs: 300_000,
    pollTimeoutMs: 30_000,
    maxDeliveries: 5,
    maxUnsettled: 1_000,
    ...more,
    group: more.group === undefined ? undefined : `${role}/${more.group}`,
  };
}
