import type { Manifest } from '@polycast/core/adapter';
import type { Settings } from './settings.ts';

/** What Service Bus bills for: API calls, and each further 64 KiB of a message. The cost model counts the same. */
export const OPERATIONS = 'operations';

/** Maximum number of events in one transfer. */
const MAX_BATCH_EVENTS = 1_024;
/** With a second one under way a later batch could be taken when an earlier one was refused, and then be known before it. */
const MAX_BATCHES_IN_FLIGHT = 1;
/** Room for what the service adds to a message. */
const RESERVED_BYTES = 2_048;

export function manifest(settings: Settings): Manifest {
  const maxEventBytes = settings.maxMessageBytes - RESERVED_BYTES;
  return {
    transport: 'service-bus',
    title: 'Azure Service Bus topics',
    guarantee: 'at-least-once',
    capabilities: {
      everyone: { level: 'native' },
      fanOut: { level: 'native' },
      role: { level: 'native' },
      instance: { level: 'native' },
      carbonCopy: {
        level: 'native',
        note: 'A rule withholds what a link sent from its own subscriptions; in groups core does.',
      },
      groups: { level: 'native' },
      settlement: { level: 'native' },
      redelivery: { level: 'native' },
      crashRedelivery: { level: 'native', note: 'When the lock has run out: after 5 s at least.' },
      delayedRelease: { level: 'emulated', note: 'Held, with its lock renewed, in the process that released it.' },
      deadLetter: {
        level: 'native',
        note: 'In the dead-letter queue of the subscription, which is deleted together with a dynamic one.',
      },
      lock: {
        level: 'native',
        numbers: { minLockMs: 5_000, maxLockMs: 300_000 },
        note: 'Members of a group should agree on lockMs.',
      },
      durable: { level: 'native', note: 'Until the subscription is deleted.' },
      replay: { level: 'none', note: 'Accepted events are gone; nothing is kept for later subscribers.' },
      ttl: { level: 'native', numbers: { granularityMs: 1 }, note: 'Beyond 49 days by core only.' },
      order: {
        level: 'native',
        note:
          settings.publicBecause === undefined
            ? 'For what one connection sends. After a lost connection, later events wait for the locks of those in flight.'
            : 'For what one connection sends. Only the public interface of the installed SDK is used: after a lost connection, events in flight arrive after later ones, when their locks have run out.',
      },
      partitionKey: {
        level: 'native',
        note: 'In groups by sessions: one member per key at a time. Elsewhere within the one subscription.',
      },
      dedupe: {
        level: 'emulated',
        note: `Within one subscription, for as long as it is open.${
          settings.duplicateDetectionMs === 0
            ? ''
            : ` What a publisher sends again after a lost answer the service itself drops, for ${settings.duplicateDetectionMs / 1_000} s.`
        }`,
      },
      gapDetection: { level: 'emulated', note: 'Where the service evaluates neither a filter nor a group.' },
      members: { level: 'emulated' },
      request: { level: 'emulated' },
      chunking: { level: 'emulated' },
      binary: { level: 'native' },
      filterPushDown: { level: 'native', note: 'SQL, as far as it fits beside the addresses: some 450 characters.' },
      backPressure: {
        level: 'native',
        note: 'A slow subscriber receives later, as long as the event lives and the topic has room.',
      },
      confirm: { level: 'native', note: 'The service stored the event.' },
      endpoint: { level: 'none' },
    },
    limits: {
      maxEventBytes,
      maxBatchEvents: MAX_BATCH_EVENTS,
      maxBatchBytes: Math.min(maxEventBytes, MAX_BATCH_BYTES),
      maxBatchesInFlight: MAX_BATCHES_IN_FLIGHT,
    },
    billedUnits: [OPERATIONS],
  };
}

/** Premium takes batches of 1 MB at most, however large a single message may be. */
const MAX_BATCH_BYTES = 1_048_576 - RESERVED_BYTES;
