export type Tier = 'basic' | 'standard' | 'premium';

/** What a tier allows (vendor's quota page, 2026-07). Sizes in bytes, names in characters. */
export interface TierLimits {
  readonly tier: Tier;
  /** Topics, sessions, duplicate detection and forwarding are there. */
  readonly topics: boolean;
  readonly defaultMaxMessageBytes: number;
  /** The most an entity may be configured to take. */
  readonly maxMessageBytes: number;
  /** Largest batch transfer. */
  readonly maxBatchBytes: number;
  readonly maxFrameBytes: number;
  readonly maxEntities: number;
  /** Of them, with `enablePartitioning`. */
  readonly maxPartitionedEntities: number;
  readonly maxConnections: number;
  readonly maxEntitySizeInMegabytes: readonly number[];
}

const KILO = 1024;

export const TIERS: Readonly<Record<Tier, TierLimits>> = {
  basic: {
    tier: 'basic',
    topics: false,
    defaultMaxMessageBytes: 256 * KILO,
    maxMessageBytes: 256 * KILO,
    maxBatchBytes: 256 * KILO,
    maxFrameBytes: 262_144,
    maxEntities: 10_000,
    maxPartitionedEntities: 100,
    maxConnections: 5_000,
    maxEntitySizeInMegabytes: [1024, 2048, 3072, 4096, 5120],
  },
  standard: {
    tier: 'standard',
    topics: true,
    defaultMaxMessageBytes: 256 * KILO,
    maxMessageBytes: 256 * KILO,
    maxBatchBytes: 256 * KILO,
    maxFrameBytes: 262_144,
    maxEntities: 10_000,
    maxPartitionedEntities: 100,
    maxConnections: 5_000,
    maxEntitySizeInMegabytes: [1024, 2048, 3072, 4096, 5120],
  },
  premium: {
    tier: 'premium',
    topics: true,
    defaultMaxMessageBytes: 1024 * KILO,
    maxMessageBytes: 102_400 * KILO,
    maxBatchBytes: 1024 * KILO,
    maxFrameBytes: 1_048_576,
    maxEntities: 1_000,
    maxPartitionedEntities: 0,
    maxConnections: 5_000,
    maxEntitySizeInMegabytes: [1024, 2048, 3072, 4096, 5120, 10_240, 20_480, 40_960, 81_920],
  },
};

/** The same in all tiers. */
export const LIMITS = {
  subscriptionsPerTopic: 2_000,
  sqlFiltersPerTopic: 2_000,
  correlationFiltersPerTopic: 100_000,
  /** All properties and annotations of a message, in bytes. */
  headerBytes: 65_536,
  propertyValueBytes: 32_768,
  /** Of message id, session id and partition key. */
  idCharacters: 128,
  entityPathCharacters: 260,
  nameCharacters: 50,
  authorizationRules: 12,
  peekCount: 250,
  batchDeleteCount: 4_000,
  minLockDurationMs: 5_000,
  maxLockDurationMs: 300_000,
  minAutoDeleteOnIdleMs: 300_000,
  minDuplicateWindowMs: 20_000,
  maxDuplicateWindowMs: 604_800_000,
  maxDeliveryCount: 2_000,
  forwardHops: 4,
} as const;
