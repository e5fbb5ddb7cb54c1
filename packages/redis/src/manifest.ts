import type { Manifest } from '@polycast/core/adapter';
import type { Settings } from './settings.ts';

/** Maximum number of events in one PUBLISH or XADD. */
const MAX_BATCH_EVENTS = 256;
/** Beyond this size a batch gains nothing. */
const MAX_BATCH_BYTES = 65_536;
/**
 * One at a time: the server may refuse a batch and take the next one, and what is sent again then would come behind it.
 * What is published meanwhile fills the next.
 */
const MAX_BATCHES_IN_FLIGHT = 1;

export function pubSubManifest(settings: Settings): Manifest {
  return {
    transport: 'redis',
    title: 'Redis pub/sub',
    guarantee: 'at-most-once',
    capabilities: {
      ...inCore,
      everyone: { level: 'native' },
      fanOut: { level: 'native' },
      role: { level: 'native' },
      instance: { level: 'native' },
      groups: {
        level: 'none',
        note: 'Redis pub/sub delivers every message to every subscriber; redis+streams has groups.',
      },
      settlement: { level: 'emulated', note: 'In the subscribing process.' },
      redelivery: { level: 'emulated', note: 'In the subscribing process, as long as it runs.' },
      crashRedelivery: { level: 'none', note: 'Nothing is kept.' },
      lock: { level: 'none', note: 'There are no competing consumers to hide a delivery from.' },
      durable: { level: 'none', note: 'Nothing is kept; redis+streams keeps events.' },
      replay: { level: 'none', note: 'Nothing is kept; redis+streams keeps events.' },
      filterPushDown: { level: 'native', note: 'The addressee (`to`), by channel. Other attributes in core.' },
      backPressure: {
        level: 'none',
        note: "A subscriber that is too slow loses events: its buffer's overflow is signalled as a gap, and a server whose output buffer is full (8 MB for 60 s, or 32 MB) cuts it off.",
      },
      confirm: { level: 'native', note: 'The server accepted the event and wrote it to the current subscribers.' },
    },
    limits: limits(settings),
    billedUnits: [],
  };
}

export function streamsManifest(settings: Settings): Manifest {
  const kept = { keptMs: settings.maxAgeMs, maxEntries: settings.maxLength };
  return {
    transport: 'redis+streams',
    title: 'Redis Streams',
    guarantee: 'at-least-once',
    capabilities: {
      ...inCore,
      everyone: { level: 'native' },
      fanOut: { level: 'native' },
      role: { level: 'native' },
      instance: { level: 'native' },
      groups: {
        level: 'native',
        note: 'Events without a partition key that are published in one burst are sent together and go to the same member. Idle groups of a broadcaster: at most 60 commands a minute together, for up to ten of them.',
      },
      partitionKey: {
        level: 'emulated',
        note: 'In a group too, among the events of one address: only the first unsettled event of each key is in progress, enforced by scripts on the server. Each event with a key is an entry of its own.',
      },
      settlement: { level: 'native' },
      redelivery: { level: 'native' },
      crashRedelivery: {
        level: 'native',
        note: 'For groups and durable subscriptions. Events that travelled in one batch come back together, those accepted already included.',
      },
      lock: { level: 'native', note: 'In groups. The members of a group should agree on lockMs.' },
      durable: { level: 'native', numbers: kept },
      replay: { level: 'native', numbers: kept },
      filterPushDown: { level: 'native', note: 'The addressee (`to`), by stream. Other attributes in core.' },
      backPressure: { level: 'native', note: 'A slow subscriber reads later, as long as the event is kept.' },
      confirm: {
        level: 'native',
        note: 'The server stored the event; whether on disk depends on its configuration.',
      },
    },
    limits: limits(settings),
    billedUnits: [],
  };
}

/** What core adds, whatever is below. */
const inCore = {
  carbonCopy: { level: 'emulated' },
  endpoint: { level: 'none' },
  delayedRelease: { level: 'emulated', note: 'Held in the process that released it.' },
  deadLetter: { level: 'emulated', note: 'Published to the topic <topic>.dead-letter.' },
  ttl: {
    level: 'emulated',
    numbers: { granularityMs: 1 },
    note: 'Checked when an event arrives and when it is handled.',
  },
  order: { level: 'native', note: 'For each address.' },
  partitionKey: { level: 'emulated', note: 'Within one subscription.' },
  dedupe: { level: 'emulated', note: 'Within one subscription, for as long as it is open.' },
  gapDetection: { level: 'emulated' },
  members: { level: 'emulated' },
  request: { level: 'emulated' },
  chunking: { level: 'emulated' },
  binary: { level: 'emulated', note: 'As base64.' },
} as const;

function limits(settings: Settings): Manifest['limits'] {
  return {
    maxEventBytes: settings.maxEventBytes,
    maxBatchEvents: MAX_BATCH_EVENTS,
    maxBatchBytes: MAX_BATCH_BYTES,
    maxBatchesInFlight: MAX_BATCHES_IN_FLIGHT,
  };
}
