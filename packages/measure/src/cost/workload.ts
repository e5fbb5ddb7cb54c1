import * as v from 'valibot';

/** Hours of a month, as cloud price lists count them. */
export const HOURS_PER_MONTH = 730;
/** Days of a month on average: a year's twelfth. */
export const DAYS_PER_MONTH = 365 / 12;

/** Counts above this are refused: beyond 2^53 a number no longer tells neighbours apart. */
const MOST = 1e15;

const count = v.pipe(v.number(), v.minValue(0), v.maxValue(MOST));
const whole = v.pipe(count, v.integer());
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const hours = v.pipe(v.number(), v.minValue(0), v.maxValue(744));
const days = v.pipe(v.number(), v.minValue(1), v.maxValue(31));
const words = v.pipe(v.string(), v.nonEmpty());

const Publishes = v.pipe(
  v.strictObject({
    perMonth: v.optional(count),
    /** Days of a month on which they happen, evenly. Decides daily caps and allowances. @default 30.42, every day */
    daysPerMonth: v.optional(days),
    /** Publishes a second at the busiest moment: decides sizes. @default the mean over the days it runs */
    peakPerSecond: v.optional(count),
    /** Instead of `perMonth`: rates that hold for some hours of some days. */
    profile: v.optional(
      v.pipe(
        v.array(
          v.strictObject({
            perSecond: count,
            hoursPerDay: v.pipe(v.number(), v.minValue(0), v.maxValue(24)),
            daysPerMonth: v.optional(days, DAYS_PER_MONTH),
          }),
        ),
        v.minLength(1),
      ),
    ),
  }),
  v.check((it) => (it.perMonth === undefined) !== (it.profile === undefined), 'give either perMonth or profile'),
  v.check((it) => it.profile === undefined || it.daysPerMonth === undefined, 'daysPerMonth goes with perMonth'),
);

/** Every service's own inputs may hold these. */
const common = {
  /** Price this tier, not the cheapest that fits. */
  tier: v.optional(words),
  /** Connections to this service at the busiest moment, in place of what the workload as a whole says. */
  connections: v.optional(whole),
  /** Billed units a publish, in place of what the model counts: `{ operations: 1 }`. */
  perPublish: v.optional(v.record(v.string(), count)),
};
const plain = v.optional(v.strictObject(common));

/** What single services are asked beyond the rest. */
export const SERVICE_OPTIONS = {
  'service-bus': plain,
  signalr: v.optional(
    v.strictObject({
      ...common,
      /** `default`: hub servers hold connections to the service, and what clients publish is forwarded to them. @default 'serverless' */
      mode: v.optional(v.picklist(['serverless', 'default'])),
      /** Hub servers in default mode: each holds 5 connections. @default 1 */
      appServers: v.optional(whole),
    }),
  ),
  'web-pubsub': plain,
  'event-grid': v.optional(
    v.strictObject({
      ...common,
      /** Count an operation for each subscription whose advanced filter is evaluated and matches. @default false */
      advancedMatches: v.optional(v.boolean()),
    }),
  ),
  'event-grid-namespaces': plain,
  'azure-cache-for-redis': plain,
  'azure-managed-redis': plain,
  ably: v.optional(
    v.strictObject({
      ...common,
      /** Channels active at once. @default topics × (1 + roles + subscribers): one an address */
      channels: v.optional(whole),
      /** Is every message persisted? It then counts once more. @default false */
      persisted: v.optional(v.boolean()),
      /** Messages read from history or by rewind. @default 0 */
      historyMessagesPerMonth: v.optional(count),
    }),
  ),
  'event-hubs': v.optional(
    v.strictObject({
      ...common,
      /** Is Capture on? Standard only. @default false */
      capture: v.optional(v.boolean()),
    }),
  ),
  functions: v.optional(
    v.strictObject({
      ...common,
      /** @default 1 */
      executionsPerPublish: v.optional(count),
      /** Memory of one execution, MB. @default 128 */
      memoryMb: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(1e6))),
      /** Time of one execution, ms. @default 100 */
      durationMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1e8))),
    }),
  ),
  'storage-queues': v.optional(
    v.strictObject({
      ...common,
      /** Messages a receive brings on average, 1 to 32. @default 1 */
      messagesPerReceive: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(32))),
    }),
  ),
  'iot-hub': plain,
  'notification-hubs': plain,
  pusher: plain,
  pubnub: plain,
  relay: plain,
  memory: plain,
  redis: plain,
} as const;

/** The services that can be priced. */
export const SERVICE_NAMES = Object.keys(SERVICE_OPTIONS) as readonly ServiceName[];
export type ServiceName = keyof typeof SERVICE_OPTIONS;

/** What a team sends in a month. `README.md`, "Workloads", says the same in words. */
export const WorkloadSchema = v.strictObject({
  name: words,
  description: v.optional(words),
  /** Caveats, carried to every reader of the prices. */
  notes: v.optional(v.array(words), []),
  /** Dotted paths of inputs that were inferred rather than known. */
  inferred: v.optional(v.array(words), []),

  publishes: Publishes,
  /** Data of one event, bytes. */
  payloadBytes: v.pipe(whole, v.maxValue(1e9)),
  /** What travels around it: CloudEvents attributes and JSON. Some 250 bytes with Polycast. @default 0 */
  envelopeBytes: v.optional(v.pipe(whole, v.maxValue(1e6)), 0),
  /** Participants that listen, the publisher of an event not among them. */
  subscribers: whole,
  /** Participants that only publish. @default 1 */
  publishers: v.optional(whole, 1),
  /** Distinct roles the subscribers share equally. @default 1 */
  roles: v.optional(v.pipe(whole, v.minValue(1)), 1),
  /** Topics the publishes spread over equally. @default 1 */
  topics: v.optional(v.pipe(whole, v.minValue(1)), 1),
  /** Whom events are for: shares that sum to 1. @default everyone */
  fanOut: v.optional(
    v.pipe(
      v.strictObject({ everyone: v.optional(share, 0), role: v.optional(share, 0), instance: v.optional(share, 0) }),
      v.check((it) => Math.abs(it.everyone + it.role + it.instance - 1) < 1e-9, 'shares must sum to 1'),
    ),
    { everyone: 1 },
  ),
  /** Groups of competing consumers that the subscribers form: each group gets an event once. @default none, all get all */
  groups: v.optional(v.pipe(whole, v.minValue(1))),
  /** Does the publisher receive its own events too? @default false */
  carbonCopy: v.optional(v.boolean(), false),
  /** Share of copies that pass the subscribers' filters. Saves only where the service filters. @default 1 */
  filterPassShare: v.optional(share, 1),
  /** @default 'peek-lock' */
  receiveMode: v.optional(v.picklist(['peek-lock', 'receive-and-delete']), 'peek-lock'),
  /** Share of deliveries that come a second time. @default 0 */
  redeliveryShare: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 0),
  /** Lock renewals a delivery: one for every lock time the handler runs beyond the first. @default 0 */
  lockRenewalsPerDelivery: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1e4)), 0),
  /** Share of events that are published twice. @default 0 */
  duplicateShare: v.optional(share, 0),
  /** Events that travel in one message when publishers coalesce. @default 1 */
  eventsPerBatch: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(1e4)), 1),
  connections: v.optional(
    v.strictObject({
      /** Participants connected at the busiest moment. @default subscribers + publishers */
      peak: v.optional(whole),
      /** Hours of a month they are connected, on average. @default 730 */
      hoursPerMonth: v.optional(hours, HOURS_PER_MONTH),
    }),
    {},
  ),
  /** Maximum wait of one poll, seconds, if subscribers poll. @default 30 */
  pollSeconds: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(86_400)), 30),
  /** Participants that come or go. @default 0: nobody asks who is there */
  presenceChangesPerMonth: v.optional(count, 0),
  /** How long events are kept for replay, hours. @default 0 */
  retentionHours: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(87_600)), 0),
  /** People or devices that connect at least once in a month. @default subscribers + publishers */
  monthlyActiveUsers: v.optional(whole),
  /** Leave out tiers that promise no service level: free ones, and those on one machine. @default false */
  highAvailability: v.optional(v.boolean(), false),

  /** Services used together: a last row gives their total. @default none; every service is an alternative */
  solution: v.optional(v.pipe(v.array(v.picklist(SERVICE_NAMES)), v.minLength(1))),
  services: v.optional(v.strictObject(SERVICE_OPTIONS), {}),
});

export type WorkloadInput = v.InferInput<typeof WorkloadSchema>;
export type Workload = v.InferOutput<typeof WorkloadSchema>;
