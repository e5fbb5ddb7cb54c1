import type { Runtime } from '../timing/runtime.ts';
import { toBase64 } from './base64.ts';
import { parseJson } from './json.ts';
import { parseTime, TimeReader, TimeWriter } from './time.ts';

/** A CloudEvents attribute value: integers fit 32 bits, timestamps and URIs are strings. */
export type AttributeValue = string | number | boolean;

/** What a user publishes. Everything but `type` has a default; names that are not listed are extension attributes. */
export interface EventInput<Type extends string = string, Data = unknown> {
  /** What happened, in reverse-DNS or dotted words: `order.moved`. Types starting with `polycast.` are Polycast's own. */
  readonly type: Type;
  /** JSON data, or bytes (`Uint8Array`). Left out: an event without data. */
  readonly data?: Data;
  /** With `source`, the event's identity, by which duplicates are known. @default a new one */
  readonly id?: string;
  /** @default `/<role>/<instance>` of the publisher */
  readonly source?: string;
  readonly subject?: string;
  /** RFC 3339. @default now */
  readonly time?: string;
  /** JSON is meant when it is absent. @default absent, or `application/octet-stream` for bytes */
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  /** Extension attributes: lower-case letters and digits, at most 20 characters. @see CloudEvents 1.0, "Naming conventions" */
  readonly [extension: string]: unknown;
}

/** The plain object that `event.toJSON()` gives: CloudEvents 1.0, JSON event format. */
export interface CloudEventJson {
  specversion: '1.0';
  id: string;
  source: string;
  type: string;
  data?: unknown;
  data_base64?: string;
  [attribute: string]: unknown;
}

/** What core and the codec make events from. */
export interface EventParts {
  readonly type: string;
  readonly source: string;
  /** A number stands for `<epoch>.<number>`, written when read. */
  readonly id: string | number;
  readonly epoch?: string | undefined;
  /** Epoch ms, written as RFC 3339 when read; or RFC 3339. */
  readonly time?: string | number | undefined;
  /** Epoch ms. Infinity or absent: never expires. */
  readonly expiresAtMs?: number | undefined;
  /** Text on the wire; core writes `<epoch>.<number>` with {@link formatSequence}. */
  readonly sequence?: string | undefined;
  /** The value itself, or */
  readonly data?: unknown;
  /** its JSON text, parsed when read. */
  readonly dataText?: string | undefined;
  /** All other attributes. Names and values are checked already. */
  readonly attributes?: Readonly<Record<string, AttributeValue>> | undefined;
}

/** The number of an event made in this process: its publisher counts from 1. 0 for an event that came from elsewhere. */
export let ownNumberOf: (event: BroadcastEvent) => number;
/** For the codec: the epoch that goes with it. */
export let ownEpochOf: (event: BroadcastEvent) => string | undefined;
/** The event expires in so many ms, whatever becomes of any wall clock. */
export let expireAfter: (event: BroadcastEvent, remainingMs: number, runtime: Runtime) => void;
/** From now on its time to live runs by the monotonic clock: it waits here. */
export let pinExpiry: (event: BroadcastEvent, runtime: Runtime) => void;
/** How long it has still to live, ms, by the same clock as `isExpired`. */
export let remainingMs: (event: BroadcastEvent, runtime: Runtime) => number;
/** Where it stands in the service: for a source that hands over no lease. */
export let placeAt: (event: BroadcastEvent, position: string) => void;
export let positionOf: (event: BroadcastEvent) => string | undefined;
/** Is its time to live over? Measured from `expireAfter`, else from when it was pinned, by the wall clock at that time. */
export let isExpired: (event: BroadcastEvent, runtime: Runtime) => boolean;

/**
 * A CloudEvents 1.0 event as a handler sees it. Extension attributes are plain properties.
 *
 * Attributes that cost time to write or read (`id`, `time`, `data` off the wire) are made when first read; `toJSON()`
 * gives the plain object. Treat it as immutable: subscribers of one process share it.
 */
export class BroadcastEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly source: string;
  declare readonly subject?: string;
  declare readonly datacontenttype?: string;
  declare readonly dataschema?: string;
  /** Extension attributes. */
  readonly [extension: string]: unknown;

  #id: string | undefined;
  /** Stands for an id made in this process: `<epoch>.<number>`. 0: the id came from elsewhere. */
  readonly #number: number;
  #epoch: string | undefined;
  #time: string | number | undefined;
  #expiresAtMs: number;
  /** By the runtime's monotonic clock; undefined until it was asked for. */
  #deadlineMs: number | undefined;
  #position: string | undefined;
  #sequence: string | undefined;
  #data: unknown;
  #dataText: string | undefined;
  #attributes: Readonly<Record<string, AttributeValue>> | undefined;

  static {
    ownNumberOf = (event) => event.#number;
    ownEpochOf = (event) => event.#epoch;
    placeAt = (event, position) => {
      event.#position = position;
    };
    positionOf = (event) => event.#position;
    expireAfter = (event, remainingMs, runtime) => {
      event.#deadlineMs = runtime.nowMs() + remainingMs;
    };
    pinExpiry = (event, runtime) => {
      if (event.#deadlineMs !== undefined || event.#expiresAtMs === Number.POSITIVE_INFINITY) return;
      event.#deadlineMs = runtime.nowMs() + event.#expiresAtMs - runtime.wallMs();
    };
    remainingMs = (event, runtime) => {
      if (event.#expiresAtMs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
      pinExpiry(event, runtime);
      return (event.#deadlineMs as number) - runtime.nowMs();
    };
    isExpired = (event, runtime) => {
      if (event.#expiresAtMs === Number.POSITIVE_INFINITY) return false;
      pinExpiry(event, runtime);
      return (event.#deadlineMs as number) <= runtime.nowMs();
    };
  }

  /** For core and adapters. Users get events from deliveries. */
  constructor(parts: EventParts) {
    this.type = parts.type as Type;
    this.source = parts.source;
    if (typeof parts.id === 'number') this.#number = parts.id;
    else {
      this.#number = 0;
      this.#id = parts.id;
    }
    this.#epoch = parts.epoch;
    this.#time = parts.time;
    this.#expiresAtMs = parts.expiresAtMs ?? Number.POSITIVE_INFINITY;
    this.#sequence = parts.sequence;
    this.#data = parts.data;
    this.#dataText = parts.dataText;
    this.#attributes = parts.attributes;
    if (parts.attributes !== undefined) this.#show(parts.attributes);
  }

  #show(attributes: Readonly<Record<string, AttributeValue>>): void {
    const open = this as Record<string, unknown>;
    // A stranger's `attributes` or `constructor` is found in `attributes` only: it must not hide what every event has.
    for (const name in attributes) if (!(name in BroadcastEvent.prototype)) open[name] = attributes[name];
  }

  get specversion(): '1.0' {
    return '1.0';
  }

  get id(): string {
    this.#id ??= `${this.#epoch}.${this.#number}`;
    return this.#id;
  }

  /** When its publisher started, as Polycast's publishers say in `sequence`; undefined for any other event. */
  get epoch(): string | undefined {
    if (this.#epoch === undefined && this.#sequence !== undefined) {
      this.#epoch = this.#sequence.slice(0, Math.max(0, this.#sequence.lastIndexOf('.')));
    }
    return this.#epoch;
  }

  /** Did Polycast make the id? Then no other event has it, and the sequence tells duplicates. */
  get hasOwnId(): boolean {
    if (this.#number > 0) return true;
    const { epoch, id } = this;
    return epoch !== undefined && id.charCodeAt(epoch.length) === DOT && id.slice(0, epoch.length) === epoch;
  }

  get time(): string | undefined {
    if (typeof this.#time === 'number') this.#time = timeWriter.write(this.#time);
    return this.#time;
  }

  /** When the event stops being worth delivering: epoch ms, Infinity for never. On the wire: `expirytime`. */
  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  /**
   * How long the event was worth delivering when it was published, ms: by the publisher's clock alone, however wrong that is.
   * Undefined where its publisher does not say, as others than Polycast's do not.
   */
  get ttlMs(): number | undefined {
    const said = this.#attributes?.ttlms;
    if (typeof said === 'number') return said;
    if (typeof said === 'string' && Number(said) > 0) return Number(said);
    if (this.#expiresAtMs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    if (this.#epoch === undefined && this.#sequence === undefined) return undefined;
    const time = this.#time;
    if (time === undefined) return undefined;
    const publishedAtMs = typeof time === 'number' ? time : timeOf(time);
    return Number.isNaN(publishedAtMs) ? undefined : this.#expiresAtMs - publishedAtMs;
  }

  get sequence(): string | undefined {
    return this.#sequence;
  }

  /**
   * The JSON value or the bytes (`Uint8Array`); undefined for an event without data.
   * @throws PolycastError `corrupt-event` when the text on the wire is not JSON or breaks a bound.
   */
  get data(): Data {
    if (this.#dataText !== undefined) {
      // The codec looked at its depth before it put the text off.
      this.#data = parseJson(this.#dataText, true);
      this.#dataText = undefined;
    }
    return this.#data as Data;
  }

  /** The data's JSON text, if it came off a wire and nobody has read `data` yet. */
  get dataText(): string | undefined {
    return this.#dataText;
  }

  /** All attributes but `specversion id source type time expirytime sequence`; undefined when there are none. */
  get attributes(): Readonly<Record<string, AttributeValue>> | undefined {
    return this.#attributes;
  }

  /** The same event with other data or more attributes. Without its sequence unless given one, as it is published anew. */
  with(changes: {
    data?: unknown;
    attributes?: Readonly<Record<string, AttributeValue>>;
    expiresAtMs?: number;
    sequence?: string;
  }): BroadcastEvent {
    const replacesData = 'data' in changes;
    const copy = new BroadcastEvent({
      type: this.type,
      source: this.source,
      id: this.id,
      epoch: this.epoch,
      time: this.time,
      expiresAtMs: changes.expiresAtMs ?? this.#expiresAtMs,
      sequence: changes.sequence,
      data: replacesData ? changes.data : this.#data,
      dataText: replacesData ? undefined : this.#dataText,
      attributes: changes.attributes ? { ...this.#attributes, ...changes.attributes } : this.#attributes,
    });
    copy.#position = this.#position;
    if (changes.expiresAtMs === undefined) copy.#deadlineMs = this.#deadlineMs;
    return copy;
  }

  toJSON(): CloudEventJson {
    const json: CloudEventJson = { specversion: '1.0', id: this.id, source: this.source, type: this.type };
    if (this.time !== undefined) json.time = this.time;
    Object.assign(json, this.#attributes);
    if (this.#expiresAtMs !== Number.POSITIVE_INFINITY) {
      const expirytime = new TimeWriter().write(this.#expiresAtMs);
      if (expirytime !== undefined) json.expirytime = expirytime;
    }
    if (this.#sequence !== undefined) json.sequence = this.#sequence;
    const data = this.data as unknown;
    if (data instanceof Uint8Array) json.data_base64 = toBase64(data);
    else if (data !== undefined) json.data = data;
    return json;
  }
}

const DOT = 46;
const timeWriter = new TimeWriter();
const timeReader = new TimeReader();

function timeOf(text: string): number {
  const ms = timeReader.read(text, 0);
  return Number.isNaN(ms) ? parseTime(text) : ms;
}

/** What CloudEvents calls an event's identity. */
export type Identity = Pick<BroadcastEvent, 'id' | 'source'>;

/** As one string: ids hold no control characters. */
export function identityOf(event: Identity): string {
  return `${event.id}\n${event.source}`;
}

export function eventOf(identity: string): Identity {
  const at = identity.indexOf('\n');
  return { id: identity.slice(0, at), source: identity.slice(at + 1) };
}
