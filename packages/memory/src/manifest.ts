import type { Manifest } from '@polycast/core/adapter';
import { BACK_PRESSURE_MAX_MS } from './options.ts';

const native = { level: 'native' } as const;
const emulated = { level: 'emulated' } as const;

/** What the memory transport offers. With `threads`, across threads of one process too, unless a note says otherwise. */
export function manifestOf(threads: boolean): Manifest {
  return {
    transport: 'memory',
    title: threads ? 'In process, across threads' : 'In process',
    guarantee: 'at-least-once',
    via: 'process',
    capabilities: {
      everyone: native,
      fanOut: native,
      role: native,
      instance: native,
      carbonCopy: emulated,
      groups: threads ? { ...native, note: 'Each thread has groups of its own.' } : native,
      settlement: { ...emulated, note: 'As long as the process lives.' },
      redelivery: emulated,
      crashRedelivery: { level: 'none', note: 'Nothing survives the process.' },
      delayedRelease: { ...emulated, note: 'Held in the process.' },
      deadLetter: { ...emulated, note: 'Published to <topic>.dead-letter, which keeps nothing.' },
      lock: { ...emulated, note: 'A delivery stays with its consumer until settled.' },
      durable: { level: 'none', note: 'Nothing survives the process.' },
      replay: { level: 'none', note: 'Nothing is kept.' },
      ttl: { ...emulated, numbers: { granularityMs: 1 } },
      order: native,
      partitionKey: {
        ...native,
        note: 'In a group a key stays with one member while the members stay the same.',
      },
      dedupe: { ...emulated, numbers: { windowMs: 600_000, maxEntries: 10_000 } },
      gapDetection: { level: 'none', note: 'Nothing can be lost in transit.' },
      members: threads ? emulated : native,
      request: emulated,
      chunking: { level: 'none', note: 'Event size is unlimited.' },
      binary: native,
      filterPushDown: { level: 'none', note: 'Core evaluates the filter.' },
      backPressure: {
        ...native,
        numbers: { maxWaitMs: BACK_PRESSURE_MAX_MS },
        note: 'publish() waits while a subscriber is full.',
      },
      confirm: native,
      endpoint: { level: 'none' },
    },
    limits: {
      maxEventBytes: Number.POSITIVE_INFINITY,
      maxBatchEvents: 1,
      maxBatchBytes: Number.POSITIVE_INFINITY,
      maxBatchesInFlight: Number.POSITIVE_INFINITY,
    },
    billedUnits: [],
  };
}
