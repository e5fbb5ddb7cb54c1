import { makeWorkload, predictUnits, priceWorkload, type WorkloadInput } from '@polycast/measure';
import { describe, expect, test } from 'vitest';

/** One publish of `bytes` to `subscribers`, unless said otherwise. */
function workload(change: Partial<WorkloadInput> = {}) {
  return makeWorkload({ name: 'check', publishes: { perMonth: 1 }, payloadBytes: 100, subscribers: 3, ...change });
}

function usd(service: string, change: Partial<WorkloadInput>) {
  return priceWorkload(workload(change), { services: [service] })[0]!.monthlyUsd;
}

const KIB = 1024;

describe('what one publish counts', () => {
  test.each([
    ['Service Bus, receive and delete', 'service-bus', { receiveMode: 'receive-and-delete' }, { operations: 4 }],
    ['Service Bus, peek-lock', 'service-bus', {}, { operations: 7 }],
    ['Service Bus, exactly 64 KB', 'service-bus', { payloadBytes: 65_536 }, { operations: 7 }],
    ['Service Bus, one byte more', 'service-bus', { payloadBytes: 65_537 }, { operations: 2 + 3 * 3 }],
    ['Service Bus, an empty message', 'service-bus', { payloadBytes: 0 }, { operations: 7 }],
    ['SignalR, 4 KB to 3 clients', 'signalr', { payloadBytes: 4 * KIB }, { messages: 6 }],
    [
      'SignalR in default mode, started by a client',
      'signalr',
      { payloadBytes: 4 * KIB, services: { signalr: { mode: 'default' } } },
      { messages: 8 },
    ],
    ['SignalR, 2 KB', 'signalr', { payloadBytes: 2 * KIB }, { messages: 3 }],
    ['SignalR, one byte more', 'signalr', { payloadBytes: 2 * KIB + 1 }, { messages: 6 }],
    ['Web PubSub, 3 KB to 3 clients, taken together', 'web-pubsub', { payloadBytes: 3 * KIB }, { messages: 4.5 }],
    ['Event Grid', 'event-grid', {}, { operations: 4 }],
    ['Event Grid, half delivered twice', 'event-grid', { redeliveryShare: 0.5 }, { operations: 1 + 4.5 }],
    ['Ably', 'ably', {}, { messages: 4 }],
    ['Ably, 16 KiB', 'ably', { payloadBytes: 16 * KIB }, { messages: 4 * 4 }],
    ['Ably, 50 KiB', 'ably', { payloadBytes: 50 * KIB }, { messages: 10 * 4 }],
    ['Ably, 5 KiB', 'ably', { payloadBytes: 5 * KIB }, { messages: 4 }],
    ['Ably, one byte more', 'ably', { payloadBytes: 5 * KIB + 1 }, { messages: 8 }],
    ['Ably with echo', 'ably', { carbonCopy: true }, { messages: 5 }],
    ['Ably, persisted', 'ably', { services: { ably: { persisted: true } } }, { messages: 5 }],
    ['Event Hubs, 64 KB', 'event-hubs', { payloadBytes: 65_537 }, { ingressEvents: 2 }],
    ['Pusher, 50 subscribers', 'pusher', { subscribers: 50 }, { messages: 51 }],
    ['PubNub, 2 KiB', 'pubnub', { payloadBytes: 2 * KIB }, { replicatedTransactions: 1, edgeTransactions: 3 }],
    ['PubNub, more', 'pubnub', { payloadBytes: 2 * KIB + 1 }, { replicatedTransactions: 2, edgeTransactions: 6 }],
    [
      'Storage Queues: a send, a receive, a delete, and no empty polls',
      'storage-queues',
      { subscribers: 1, connections: { hoursPerMonth: 0 } },
      { transactions: 3 },
    ],
  ] as [string, string, Partial<WorkloadInput>, Record<string, number>][])('%s', (_, service, change, expected) => {
    expect(predictUnits(service, workload(change))).toMatchObject(expected);
  });
});

describe('the Architecture Center sample', async () => {
  const { WORKLOADS } = await import('@polycast/measure');

  test('192.08 USD = Functions 119.40 + SignalR 48.97 + Service Bus 23.71', () => {
    const rows = priceWorkload(WORKLOADS['architecture-center']!);
    expect(rows.map((row) => [row.service, row.monthlyUsd])).toEqual([
      ['functions', 119.4],
      ['signalr', 48.97],
      ['service-bus', 23.71],
      ['solution', 192.08],
    ]);
  });

  test('with every operation counted: 71.71 for Service Bus, 240.08 in all', () => {
    const rows = priceWorkload(WORKLOADS['architecture-center-counted']!);
    expect(rows.at(2)!.monthlyUsd).toBe(71.71);
    expect(rows.at(3)!.monthlyUsd).toBe(240.08);
  });
});

test('5 million events through Event Grid to one target: 9.9 million operations above the free ones, 5.94 USD', () => {
  const change = { publishes: { perMonth: 5e6 }, subscribers: 1 };
  expect(predictUnits('event-grid', workload(change))).toEqual({ operations: 10_000_000 });
  expect(usd('event-grid', change)).toBe(5.94);
});
