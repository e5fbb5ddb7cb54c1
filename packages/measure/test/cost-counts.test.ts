import { makeWorkload, predictUnits, priceWorkload, type WorkloadInput } from '@polycast/measure';
import { describe, expect, test } from 'vitest';

/** 100 publishes a month of 100 bytes to 10 subscribers, unless said otherwise. */
function workload(change: Partial<WorkloadInput> = {}) {
  return makeWorkload({ name: 'counts', publishes: { perMonth: 100 }, payloadBytes: 100, subscribers: 10, ...change });
}

type Case = [what: string, service: string, change: Partial<WorkloadInput>, expected: Record<string, number>];

/** A queue is polled by nobody who is never connected. */
const silent = { connections: { hoursPerMonth: 0 } };

describe('each input of a workload counts', () => {
  test.each([
    ['the plain load', 'service-bus', {}, { operations: 100 + 1000 * 2 }],
    ['a tenth delivered again', 'service-bus', { redeliveryShare: 0.1 }, { operations: 100 + 1100 * 2 }],
    ['locks renewed three times', 'service-bus', { lockRenewalsPerDelivery: 3 }, { operations: 100 + 1000 * 5 }],
    [
      'neither, without locks',
      'service-bus',
      { receiveMode: 'receive-and-delete', redeliveryShare: 0.1, lockRenewalsPerDelivery: 3 },
      { operations: 1100 },
    ],
    ['duplicates, dropped by the service', 'service-bus', { duplicateShare: 0.5 }, { operations: 150 + 1000 * 2 }],
    ['a filter the service evaluates', 'service-bus', { filterPassShare: 0.25 }, { operations: 100 + 250 * 2 }],
    ['carbon copies', 'service-bus', { carbonCopy: true }, { operations: 100 + 1100 * 2 }],
    ['groups in place of subscribers', 'service-bus', { groups: 2 }, { operations: 100 + 200 * 2 }],
    ['events for a role', 'service-bus', { fanOut: { role: 1 }, roles: 5 }, { operations: 100 + 200 * 2 }],
    ['events for one instance', 'service-bus', { fanOut: { instance: 1 } }, { operations: 100 + 100 * 2 }],
    ['events for one of nobody', 'service-bus', { fanOut: { instance: 1 }, subscribers: 0 }, { operations: 100 }],
    [
      'a mixture of addresses',
      'service-bus',
      { fanOut: { everyone: 0.5, role: 0.3, instance: 0.2 }, roles: 2 },
      { operations: 100 + (500 + 150 + 20) * 2 },
    ],
    ['an envelope', 'service-bus', { payloadBytes: 65_500, envelopeBytes: 37 }, { operations: 200 + 1000 * 3 }],
    [
      'presence as ordinary events',
      'service-bus',
      { presenceChangesPerMonth: 10 },
      { operations: 2100 + 10 + 100 * 2 },
    ],
    ['batches change nothing', 'service-bus', { eventsPerBatch: 10 }, { operations: 2100 }],

    ['duplicates, delivered', 'signalr', { duplicateShare: 0.5 }, { messages: 1500 }],
    ['a filter the service does not know', 'signalr', { filterPassShare: 0.25 }, { messages: 1000 }],
    ['batches: fewer messages', 'signalr', { eventsPerBatch: 20 }, { messages: 50 }],
    ['batches: larger messages', 'signalr', { eventsPerBatch: 25 }, { messages: 4 * 10 * 2 }],
    [
      'batches no larger than a message may be',
      'signalr',
      { payloadBytes: 600_000, eventsPerBatch: 20 },
      { messages: 1000 * 293 },
    ],
    ['presence', 'signalr', { presenceChangesPerMonth: 10 }, { messages: 1100 }],

    ['bytes together', 'web-pubsub', { payloadBytes: 1024 }, { messages: 500 }],
    ['an envelope', 'web-pubsub', { payloadBytes: 1000, envelopeBytes: 24 }, { messages: 500 }],

    ['retries', 'event-grid', { redeliveryShare: 0.2 }, { operations: 100 + 1200 }],
    ['duplicates, delivered', 'event-grid', { duplicateShare: 0.5 }, { operations: 150 + 1500 }],
    ['a filter the service evaluates', 'event-grid', { filterPassShare: 0.5 }, { operations: 100 + 500 }],
    [
      'advanced matches',
      'event-grid',
      { filterPassShare: 0.5, services: { 'event-grid': { advancedMatches: true } } },
      { operations: 100 + 500 + 500 },
    ],

    ['retries', 'event-grid-namespaces', { redeliveryShare: 0.2 }, { operations: 100 + 1200 }],
    ['a filter the service evaluates', 'event-grid-namespaces', { filterPassShare: 0.5 }, { operations: 100 + 500 }],

    [
      'connections and channels, by the minute',
      'ably',
      { roles: 2, topics: 3, connections: { peak: 7, hoursPerMonth: 10 } },
      { messages: 1100, channelMinutes: 3 * 13 * 600, connectionMinutes: 7 * 600 },
    ],
    ['channels as told', 'ably', { services: { ably: { channels: 5 } } }, { channelMinutes: 5 * 43_800 }],
    ['connections as told', 'ably', { services: { ably: { connections: 5 } } }, { connectionMinutes: 5 * 43_800 }],
    ['history', 'ably', { services: { ably: { historyMessagesPerMonth: 77 } } }, { messages: 1177 }],
    ['presence, in and out', 'ably', { presenceChangesPerMonth: 10 }, { messages: 1100 + 110 }],
    ['duplicates, dropped by the service', 'ably', { duplicateShare: 0.5 }, { messages: 150 + 1000 }],
    ['batches', 'ably', { eventsPerBatch: 10 }, { messages: 110 }],
    ['larger batches', 'ably', { eventsPerBatch: 100 }, { messages: 11 * 2 }],

    ['batches', 'pusher', { eventsPerBatch: 10 }, { messages: 110 }],
    ['presence, out', 'pusher', { presenceChangesPerMonth: 10 }, { messages: 1100 + 100 }],
    ['duplicates', 'pusher', { duplicateShare: 0.5 }, { messages: 150 * 11 }],

    [
      'presence',
      'pubnub',
      { presenceChangesPerMonth: 10 },
      { replicatedTransactions: 100, edgeTransactions: 1000 + 110 },
    ],
    ['batches', 'pubnub', { eventsPerBatch: 50 }, { replicatedTransactions: 6, edgeTransactions: 60 }],

    ['puts, receives, deletes', 'storage-queues', silent, { transactions: 3000 }],
    ['retries', 'storage-queues', { ...silent, redeliveryShare: 0.5 }, { transactions: 1000 + 1500 + 1000 }],
    [
      'several messages a receive',
      'storage-queues',
      { ...silent, services: { 'storage-queues': { messagesPerReceive: 10 } } },
      { transactions: 1000 + 100 + 1000 },
    ],
    ['batches', 'storage-queues', { ...silent, eventsPerBatch: 10 }, { transactions: 300 }],
    [
      'empty polls',
      'storage-queues',
      { connections: { hoursPerMonth: 10 }, pollSeconds: 20 },
      { transactions: 1000 + 10 * 1800 + 1000 },
    ],
    ['nobody to put it for', 'storage-queues', { subscribers: 0 }, { transactions: 100 }],

    ['in and out', 'iot-hub', {}, { messages: 1100 }],
    ['steps of 4 KB', 'iot-hub', { payloadBytes: 4097 }, { messages: 2200 }],
    ['devices', 'notification-hubs', { duplicateShare: 0.5 }, { pushes: 1500 }],
    ['events in, whoever reads', 'event-hubs', { duplicateShare: 0.5 }, { ingressEvents: 150 }],

    ['memory in steps of 128 MB, time of at least 100 ms', 'functions', {}, { executions: 100, gbSeconds: 1.25 }],
    [
      'a little more memory',
      'functions',
      { services: { functions: { memoryMb: 129, durationMs: 1 } } },
      { executions: 100, gbSeconds: 2.5 },
    ],
    [
      'more executions, for longer',
      'functions',
      { services: { functions: { executionsPerPublish: 3, memoryMb: 1024, durationMs: 2000 } } },
      { executions: 300, gbSeconds: 600 },
    ],
    [
      'units as told',
      'service-bus',
      { services: { 'service-bus': { perPublish: { operations: 2.5 } } } },
      { operations: 250 },
    ],
  ] as Case[])('%s: %s', (_, service, change, expected) => {
    const units = predictUnits(service, workload(change));
    for (const [unit, count] of Object.entries(expected)) expect(units[unit], unit).toBeCloseTo(count, 6);
  });
});

describe('sizes follow the busiest moment', () => {
  const sized = (service: string, tier: string, change: Partial<WorkloadInput>) => {
    const services = { ...change.services, [service]: { ...change.services?.[service as 'signalr'], tier } };
    return priceWorkload(workload({ ...change, services }), { services: [service] })[0]!;
  };
  const publishes = (peakPerSecond: number) => ({ publishes: { perMonth: 1e6, peakPerSecond } });

  test.each([
    ['events in', { ...publishes(2_001), subscribers: 0 }, '3 TU'],
    ['bytes in', { ...publishes(100), subscribers: 0, payloadBytes: 20_001 }, '3 TU'],
    ['events out', { ...publishes(500), subscribers: 10 }, '3 TU'],
    ['events out that pass', { ...publishes(500), subscribers: 10, filterPassShare: 0.1 }, '1 TU'],
    ['bytes out', { ...publishes(10), subscribers: 10, payloadBytes: 50_000 }, '3 TU'],
  ])('Event Grid namespaces: %s', (_, change, size) => {
    expect(sized('event-grid-namespaces', 'pull', change).size).toBe(size);
  });

  test('Event Grid namespaces over MQTT: connections too', () => {
    expect(sized('event-grid-namespaces', 'mqtt', { connections: { peak: 25_000 } }).size).toBe('3 TU');
  });

  test.each([
    ['events in', { ...publishes(2_001), subscribers: 0 }, '3 TU'],
    ['bytes in', { ...publishes(100), subscribers: 0, payloadBytes: 20_001 }, '3 TU'],
    ['events out, filtered or not', { ...publishes(1_000), filterPassShare: 0.1 }, '3 TU'],
    ['bytes out', { ...publishes(10), payloadBytes: 50_000 }, '3 TU'],
    // 100,000 bytes a second for 100 hours are 36 GB; twenty times that are 720 GB at 84 GB a unit.
    [
      'what is kept',
      {
        publishes: { profile: [{ perSecond: 20, hoursPerDay: 24 }] },
        payloadBytes: 100_000,
        subscribers: 0,
        retentionHours: 100,
      },
      '9 TU',
    ],
  ])('Event Hubs: %s', (_, change, size) => {
    expect(sized('event-hubs', 'standard', change).size).toBe(size);
  });

  test('Functions Premium: the memory of what runs at once', () => {
    const functions = { memoryMb: 512, durationMs: 2_000 };
    // 10 a second for 2 seconds are 20 at once, 10 GB: three instances of 3.5 GB, or two of 7 GB for more money.
    expect(sized('functions', 'premium', { ...publishes(10), services: { functions } })).toMatchObject({
      size: '3 × EP1',
      monthlyUsd: 473.16,
    });
    const twice = { ...functions, executionsPerPublish: 2 };
    expect(sized('functions', 'premium', { ...publishes(10), services: { functions: twice } }).size).toBe('6 × EP1');
  });

  test('without a peak the mean over the days it runs is taken, of a profile the sum of its parts', () => {
    const peakOf = (input: WorkloadInput['publishes']) =>
      Number.parseInt(sized('event-hubs', 'standard', { publishes: input, subscribers: 0 }).size!, 10);
    expect(peakOf({ perMonth: 86_400 * 2_500 * 10, daysPerMonth: 10 })).toBe(3);
    expect(peakOf({ perMonth: 86_400 * 2_500 * 10, daysPerMonth: 30 })).toBe(1);
    const parts = [
      { perSecond: 1_500, hoursPerDay: 1 },
      { perSecond: 600, hoursPerDay: 1 },
    ];
    expect(peakOf({ profile: parts })).toBe(3);
  });
});
