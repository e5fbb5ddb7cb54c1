/**
 * - `native`: the service does it.
 * - `emulated`: Polycast does it on top, with the limits the capability's `note` states.
 * - `none`: using it is rejected with code `unsupported`.
 */
export type Level = 'native' | 'emulated' | 'none';

/** Every capability, with its description for users. Clauses of the conformance suite refer to these names. */
export const CAPABILITIES = {
  everyone: 'An event reaches every participant of the topic',
  fanOut: 'Every subscription without a group gets each event',
  role: 'An event reaches every instance of a role, and no other participant',
  instance: 'An event reaches one instance, and no other participant',
  carbonCopy: 'A publisher can receive its own events',
  groups: 'Competing consumers: one member of a group gets each event',
  settlement: 'Accept, release and reject settle a delivery',
  redelivery: 'Events that were not accepted are redelivered, with an attempt number',
  crashRedelivery:
    'Deliveries held by a crashed consumer are redelivered to another one, or to the same one when it returns',
  delayedRelease: 'A released delivery comes back after a chosen delay',
  deadLetter: 'Events that keep failing are dead-lettered with a reason',
  lock: 'A delivery being worked on is hidden from other consumers, and the lock is renewed',
  durable: 'A subscription outlives its process and resumes where it left off',
  replay: 'A subscription can start in the past, from an id or a time',
  ttl: 'An expired event is never delivered',
  order: 'Events of one publisher to one address arrive in the order published',
  partitionKey: 'Events with the same partition key are handled one after another, in order, within a group as well',
  dedupe: 'An event published twice with the same id and source is delivered once',
  gapDetection: 'A subscription that missed events signals a gap',
  members: 'The current members of a topic can be listed',
  request: 'Send a request to many and collect the replies',
  chunking: 'An event larger than the service allows is sent in chunks',
  binary: 'Binary data arrives byte for byte',
  filterPushDown: 'The service evaluates (part of) the filter',
  backPressure: 'A slow subscriber slows the flow instead of losing events',
  confirm: 'A resolved publish means the service accepted the event',
  endpoint: 'The broadcaster answers HTTP requests of the service or of its clients',
} as const;

export type CapabilityName = keyof typeof CAPABILITIES;

export interface Capability {
  readonly level: Level;
  /** Numbers of the capability, with the unit in the name: `{ granularityMs: 1000 }`, `{ windowMs: 600_000, maxEntries: 10_000 }`. */
  readonly numbers?: Readonly<Record<string, number>>;
  /**
   * If the service supports only certain values: all of them, ascending, with the unit in the name. `delayedRelease` with
   * `{ delayMs: [0, 10_000, 60_000] }`: core asks for one of these, see `Delivery.release`.
   */
  readonly steps?: Readonly<Record<string, readonly number[]>>;
  /**
   * It is billed while it is enabled, even when idle; a participant enables it with the option of `connect` of the same name.
   * Only for `members`. @default false
   */
  readonly billed?: boolean;
  /** What a user must know before relying on it. One sentence. */
  readonly note?: string;
}

/** A transport's capabilities as data. Users are shown the manifest that the conformance suite confirmed. */
export interface Manifest {
  /** URL scheme without the colon: `name`, `name+variant`. */
  readonly transport: string;
  /** One line for people. */
  readonly title: string;
  /**
   * - `at-most-once`: events can be lost (and the loss is signalled), none is delivered twice.
   * - `at-least-once`: once `publish` resolved, an event is delivered until it is accepted, so it may be delivered twice.
   */
  readonly guarantee: 'at-most-once' | 'at-least-once';
  /**
   * What connects the participants.
   * - `service`: a server, which can stop; connections, which can break; a wire, on which other software can write.
   * - `network`: participants send to one another. No server and no connection, but a wire.
   * - `process`: participants call one another within a process. No wire.
   * @default 'service'
   */
  readonly via?: 'service' | 'network' | 'process';
  readonly capabilities: Readonly<Record<CapabilityName, Capability>>;
  readonly limits: {
    /** Maximum size of an encoded event, bytes. Infinity: limited only by memory. */
    readonly maxEventBytes: number;
    /** Maximum number of events in one `Link.publish` call. 1: the transport does not benefit from batches. */
    readonly maxBatchEvents: number;
    /** Maximum total size of the encoded events in one `Link.publish` call, bytes. */
    readonly maxBatchBytes: number;
    /**
     * Maximum number of concurrent `Link.publish` calls. Above 1 only if the service never accepts a later batch after it refused an
     * earlier one; otherwise a retried batch would follow one that was published later.
     */
    readonly maxBatchesInFlight: number;
  };
  /** What the provider bills, by the unit names that `LinkContext.meter` counts. Empty: nothing is billed by use. */
  readonly billedUnits: readonly string[];
}
