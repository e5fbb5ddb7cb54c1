import { type Address, checkAddress, EVERYONE, MAX_ADDRESSES } from '../contract/address.ts';
import { aboveZero } from '../contract/checked-option.ts';
import { MAX_PENDING_EVENTS, type PublishOptions } from '../contract/contract.ts';
import { PolycastError } from '../contract/error.ts';
import type { Manifest } from '../contract/manifest.ts';
import type { Encoded, Link, Outgoing as OutgoingOf } from '../contract/transport.ts';
import { type AttributeValue, BroadcastEvent, type EventInput } from '../envelope/event.ts';
import { bytesOf, normaliseData } from '../envelope/normalise.ts';
import { backOffMs, type RetryPolicy } from '../timing/retry.ts';
import { keepAlive, type Runtime } from '../timing/runtime.ts';
import type { BatchQueue } from './batch-queue.ts';
import type { Encoder } from './encoder.ts';
import { checkText, readEventInput } from './event-input.ts';
import { SequenceGenerator } from './sequence-generator.ts';

type Outgoing = OutgoingOf<Encoded | undefined>;

export interface PublisherOptions {
  readonly link: Link;
  readonly manifest: Manifest;
  readonly topic: string;
  /** The CloudEvents `source` of events that name none. */
  readonly source: string;
  readonly ttlMs: number;
  readonly carbonCopy: boolean;
  /** Undefined where the transport takes the event itself. */
  readonly encoder: Encoder | undefined;
  /** What becomes of an event that is too large; undefined where none is. */
  readonly large: typeof import('./large.ts') | undefined;
  /** False: what is too large is refused. Dead letters are cut all the same: nothing else would ever take them. */
  readonly splits: boolean;
  readonly retry: RetryPolicy;
  /** Undefined where nothing is gained from batches. */
  readonly queue: typeof BatchQueue | undefined;
  readonly isDown: () => boolean;
  readonly runtime: Runtime;
}

/** What core itself adds to an event: attributes users may not set. */
export interface CoreAttributes {
  replyto?: string;
  correlationid?: string;
  /** Goes there, whatever the options say. */
  to?: Address;
}

/** What the options of a publish come to. */
interface Asked {
  readonly to: readonly Address[];
  /** The address list as one text. */
  readonly lane: string;
  readonly ttlMs: number;
  /** Never changed: it may serve many events. */
  readonly attributes: Readonly<Record<string, AttributeValue>> | undefined;
}

/** From a user's event to the transport: checks, names, numbers, encodes, coalesces. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #manifest: Manifest;
  readonly #link: Link;
  readonly #queue: BatchQueue | undefined;
  readonly #sequences: SequenceGenerator;
  /** Holes are only looked for where events can be lost, or sent twice. */
  readonly #numbers: boolean;
  readonly #encoder: Encoder | undefined;
  readonly #knownAddresses = new Set<string>([EVERYONE]);
  /** No options, said once. */
  readonly #plain: Asked;
  /** Was anything published with a carbon copy? */
  copiesItself = false;
  #nextId = 1;
  /** Reject what the transport has not answered yet, where nothing is queued. */
  readonly #direct = new Set<(error: unknown) => void>();
  #ended: PolycastError | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#manifest = options.manifest;
    this.#link = options.link;
    this.#sequences = new SequenceGenerator(options.runtime);
    this.#plain = this.#read(undefined, undefined);
    this.#numbers = options.manifest.capabilities.gapDetection.level === 'emulated';
    this.#encoder = options.encoder;
    if (options.queue !== undefined) {
      this.#queue = new options.queue({
        send: (batch) => options.link.publish(batch),
        maxPending: MAX_PENDING_EVENTS,
        limits: options.manifest.limits,
        maxAttempts: options.retry.maxAttempts,
        backOffMs: (attempt) => backOffMs(options.runtime, options.retry, attempt),
        isDown: options.isDown,
        sequences: this.#sequences,
        renumber: this.#renumber,
        runtime: options.runtime,
      });
    }
  }

  get epoch(): string {
    return this.#sequences.epoch;
  }

  /** An event as it will be sent. @throws PolycastError `invalid-*`, `payload-too-large`; TypeError */
  prepare(
    input: EventInput,
    options: PublishOptions | undefined,
    core?: CoreAttributes,
    sequence?: string | 'none',
  ): Outgoing {
    // What is rare stays outside: the engine then makes one piece of the rest, twice as fast.
    const asked = options === undefined && core === undefined ? this.#plain : this.#read(options, core);
    const { type, data, rest } = readEventInput(input);
    let attributes = rest?.attributes;
    if (asked.attributes !== undefined) attributes = { ...attributes, ...asked.attributes };
    if (typeof data === 'object' && attributes?.datacontenttype === undefined && bytesOf(data) !== undefined) {
      (attributes ??= {}).datacontenttype = 'application/octet-stream';
    }
    // The time of an event need not be when it was published: then its time to live is said apart.
    if (rest?.time !== undefined && asked.ttlMs !== Number.POSITIVE_INFINITY) {
      // Beyond 24.8 days an attribute has no integer for it.
      const ttlms = Math.ceil(asked.ttlMs);
      (attributes ??= {}).ttlms = ttlms <= MAX_INTEGER ? ttlms : String(ttlms);
    }
    // Before it gets a number: receivers must not miss what is refused.
    const plain = this.#encoder === undefined ? normaliseData(data) : this.#encoder.dataOf(data);
    const timeMs = this.#options.runtime.wallMs();
    const expiresAtMs = timeMs + asked.ttlMs;
    const event = new BroadcastEvent({
      type,
      source: rest?.source ?? this.#options.source,
      id: rest?.id ?? this.#nextId++,
      epoch: this.#sequences.epoch,
      time: rest?.time ?? timeMs,
      expiresAtMs,
      sequence: sequence === undefined ? this.#nextSequence(asked.lane) : sequence === 'none' ? undefined : sequence,
      data: plain,
      attributes,
    });
    return { event, topic: this.#options.topic, to: asked.to, encoded: this.#write(event), expiresAtMs };
  }

  #nextSequence(lane: string): string | undefined {
    return this.#numbers ? this.#sequences.next(lane) : undefined;
  }

  /** Publish options, checked. */
  #read(options: PublishOptions | undefined, core: CoreAttributes | undefined): Asked {
    const to = core?.to === undefined ? this.#addresses(options?.to) : [core.to];
    const lane = to.length === 1 ? (to[0] as string) : [...to].sort().join(',');
    const ttlMs = aboveZero('ttlMs', options?.ttlMs ?? this.#options.ttlMs);
    let attributes: Record<string, AttributeValue> | undefined;
    if (lane !== EVERYONE) (attributes ??= {}).to = lane;
    if (options?.partitionKey !== undefined) {
      (attributes ??= {}).partitionkey = checkPartitionKey(options.partitionKey);
    }
    if (options?.carbonCopy ?? this.#options.carbonCopy) {
      (attributes ??= {}).carboncopy = true;
      this.copiesItself = true;
    }
    if (core !== undefined) Object.assign((attributes ??= {}), core);
    return { to, lane, ttlMs, attributes };
  }

  /** @throws `closed`: middleware or a schema may have held the event until then */
  #write(event: BroadcastEvent): Encoded | undefined {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#encoder === undefined) return undefined;
    try {
      return this.#encoder.encode(event);
    } catch (thrown) {
      // Refused before it was sent: receivers must not miss it.
      this.#sequences.rollBack(event.sequence);
      throw thrown;
    }
  }

  /** An event that exists already, for everyone on a topic. @throws `closed` */
  address(event: BroadcastEvent, topic: string): Outgoing {
    return {
      event,
      topic,
      to: JUST_EVERYONE,
      encoded: this.#write(event),
      expiresAtMs: event.expiresAtMs,
    };
  }

  /** Resolves once the transport took the event. */
  send(outgoing: Outgoing): Promise<void> {
    const bytes = outgoing.encoded?.size ?? 0;
    const { large } = this.#options;
    if (bytes > this.#manifest.limits.maxEventBytes && large !== undefined) {
      return large.sendLarge(this, this.#options, outgoing, CHUNK_TYPE);
    }
    if (this.#queue !== undefined) {
      if (this.#queue.isFull) this.#sequences.rollBack(outgoing.event.sequence);
      return this.#queue.add(outgoing);
    }
    let sent: ReturnType<Link['publish']>;
    try {
      sent = this.#link.publish([outgoing]);
    } catch (thrown) {
      // Not the caller's mistake: who wants no confirmation hears of it in a signal.
      return Promise.reject(PolycastError.from(thrown));
    }
    return sent === undefined ? DONE : this.#awaitDirect(sent);
  }

  /** The event was numbered, and is not sent. */
  rollBack({ event }: Outgoing): void {
    this.#sequences.rollBack(event.sequence);
  }

  wake(): void {
    this.#queue?.wake();
  }

  drain(): Promise<void> {
    return this.#queue?.drain() ?? DONE;
  }

  close(error: PolycastError): void {
    this.#ended = error;
    this.#queue?.close(error);
    // What has no answer by now gets none.
    for (const reject of this.#direct) reject(error);
  }

  #awaitDirect(sent: Promise<void | readonly (PolycastError | undefined)[]>): Promise<void> {
    const direct = this.#direct;
    if (direct.size >= MAX_PENDING_EVENTS) {
      return Promise.reject(
        new PolycastError(
          'overloaded',
          `${MAX_PENDING_EVENTS} publishes are already waiting for slow subscribers; await publish()`,
        ),
      );
    }
    const answered = new Promise<void>((resolve, reject) => {
      direct.add(reject);
      sent.then((errors) => (errors?.[0] ? reject(errors[0]) : resolve()), reject).then(() => direct.delete(reject));
    });
    return keepAlive(this.#options.runtime, answered);
  }

  readonly #renumber = (outgoing: Outgoing, sequence: string): Outgoing =>
    this.#encoder?.renumber(outgoing, sequence) ?? { ...outgoing, event: outgoing.event.with({ sequence }) };

  #addresses(to: PublishOptions['to']): readonly Address[] {
    if (to === undefined || to === EVERYONE) return JUST_EVERYONE;
    if (typeof to === 'string') return [this.#checkAddress(to)];
    if (!Array.isArray(to)) checkAddress(to);
    if (to.length === 0 || to.length > MAX_ADDRESSES) {
      throw new PolycastError('invalid-address', `an event must have 1-${MAX_ADDRESSES} addresses, not ${to.length}`);
    }
    const unique = [...new Set(to)];
    for (const address of unique) this.#checkAddress(address);
    // Everyone includes all others.
    return unique.includes(EVERYONE) ? JUST_EVERYONE : unique;
  }

  #checkAddress(address: Address): Address {
    if (this.#knownAddresses.has(address)) return address;
    checkAddress(address);
    if (this.#knownAddresses.size >= MAX_KNOWN_ADDRESSES) this.#knownAddresses.clear();
    this.#knownAddresses.add(address);
    return address;
  }
}

/** The type of a piece of a large event. */
export const CHUNK_TYPE = 'polycast.chunk';

/** Event types that are Polycast's own start with it; users may not publish them. */
export const RESERVED_TYPE_PREFIX = 'polycast.';

/** The largest integer that an attribute can hold. */
const MAX_INTEGER = 2 ** 31 - 1;

const DONE: Promise<void> = Promise.resolve();
const JUST_EVERYONE: readonly Address[] = [EVERYONE];
const MAX_KNOWN_ADDRESSES = 10_000;
const MAX_PARTITION_KEY_LENGTH = 128;

function checkPartitionKey(value: unknown): string {
  if (typeof value === 'string' && value.length <= MAX_PARTITION_KEY_LENGTH) return checkText('partitionKey', value);
  throw new PolycastError('invalid-event', `partitionKey must be a string of 1-${MAX_PARTITION_KEY_LENGTH} characters`);
}
