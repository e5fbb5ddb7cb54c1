import type { Capability, CapabilityName, Manifest } from '@polycast/core';
import { CAPABILITIES } from '@polycast/core';

/**
 * The kinds of service that a history may run on.
 * - `pubsub`: at most once, pushed, nothing kept: like Redis pub/sub.
 * - `pipelined`: the same, with several batches under way at once.
 * - `log`: at least once, pulled under leases, dead letters by core: like a stream with consumer groups.
 * - `queue`: at least once, pulled under leases, dead letters by the service: like a message broker.
 * - `webhook`: the same, under locks that cannot be renewed.
 * - `process`: participants call one another, nothing is lost: like memory. Only groups settle.
 */
export const PROFILES = ['pubsub', 'pipelined', 'log', 'queue', 'webhook', 'process'] as const;
export type ProfileName = (typeof PROFILES)[number];

export interface Profile {
  readonly name: ProfileName;
  readonly manifest: Manifest;
  /** Are deliveries settled with the service? Those of groups are anyhow. */
  readonly isLeased: boolean;
  /** Is an event handed over within the call that publishes it? */
  readonly isDirect: boolean;
  /** Can the service lose what it took? */
  readonly isLossy: boolean;
  /** Can locks be renewed? */
  readonly renews: boolean;
  /** Does its link encode events itself? */
  readonly encodes: boolean;
}

const native: Capability = { level: 'native' };
const emulated: Capability = { level: 'emulated' };
const none: Capability = { level: 'none' };

function manifestOf(
  name: ProfileName,
  guarantee: Manifest['guarantee'],
  maxBatchesInFlight: number,
  differing: Partial<Record<CapabilityName, Capability>>,
): Manifest {
  const capabilities = Object.fromEntries(
    (Object.keys(CAPABILITIES) as CapabilityName[]).map((capability) => [
      capability,
      differing[capability] ?? emulated,
    ]),
  ) as Record<CapabilityName, Capability>;
  const isDirect = name === 'process';
  return {
    transport: name,
    title: `Simulated ${name}`,
    guarantee,
    ...(isDirect ? { via: 'process' as const } : {}),
    capabilities,
    limits: {
      maxEventBytes: isDirect ? Number.POSITIVE_INFINITY : 100_000,
      maxBatchEvents: isDirect ? 1 : 3,
      maxBatchBytes: isDirect ? Number.POSITIVE_INFINITY : 200_000,
      maxBatchesInFlight,
    },
    billedUnits: [],
  };
}

const addressed = { everyone: native, role: native, instance: native, confirm: native, order: native } as const;
const forgetful = {
  ...addressed,
  groups: none,
  crashRedelivery: none,
  lock: none,
  durable: none,
  replay: none,
  filterPushDown: none,
  backPressure: none,
} as const;
const kept = {
  ...addressed,
  groups: native,
  settlement: native,
  redelivery: native,
  crashRedelivery: native,
  lock: native,
  durable: native,
  replay: none,
  filterPushDown: none,
  backPressure: native,
} as const;

const ALL: Readonly<Record<ProfileName, Profile>> = {
  pubsub: {
    name: 'pubsub',
    manifest: manifestOf('pubsub', 'at-most-once', 1, forgetful),
    isLeased: false,
    isDirect: false,
    isLossy: true,
    renews: true,
    encodes: true,
  },
  pipelined: {
    name: 'pipelined',
    manifest: manifestOf('pipelined', 'at-most-once', 3, forgetful),
    isLeased: false,
    isDirect: false,
    isLossy: true,
    renews: true,
    encodes: false,
  },
  log: {
    name: 'log',
    manifest: manifestOf('log', 'at-least-once', 1, kept),
    isLeased: true,
    isDirect: false,
    isLossy: false,
    renews: true,
    encodes: false,
  },
  queue: {
    name: 'queue',
    manifest: manifestOf('queue', 'at-least-once', 1, { ...kept, deadLetter: native, partitionKey: native }),
    isLeased: true,
    isDirect: false,
    isLossy: false,
    renews: true,
    encodes: true,
  },
  webhook: {
    name: 'webhook',
    manifest: manifestOf('webhook', 'at-least-once', 1, {
      ...kept,
      deadLetter: native,
      order: none,
      partitionKey: none,
    }),
    isLeased: true,
    isDirect: false,
    isLossy: false,
    renews: false,
    encodes: false,
  },
  process: {
    name: 'process',
    manifest: manifestOf('process', 'at-least-once', Number.POSITIVE_INFINITY, {
      ...addressed,
      groups: native,
      crashRedelivery: none,
      durable: none,
      replay: none,
      gapDetection: none,
      members: native,
      chunking: none,
      filterPushDown: none,
      backPressure: native,
    }),
    isLeased: false,
    isDirect: true,
    isLossy: false,
    renews: true,
    encodes: false,
  },
};

export function profileOf(name: ProfileName): Profile {
  return ALL[name];
}
