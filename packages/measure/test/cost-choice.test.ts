import {
  compareUnits,
  costCurve,
  DEFAULT_VOLUMES,
  DEFAULT_WORKLOAD,
  listServices,
  makePriceBook,
  makeWorkload,
  packagedPrices,
  priceWorkload,
  sumUnits,
  WORKLOADS,
  type WorkloadInput,
} from '@polycast/measure';
import { describe, expect, test } from 'vitest';

function workload(change: Partial<WorkloadInput> = {}) {
  return makeWorkload({ name: 'choice', publishes: { perMonth: 1000 }, payloadBytes: 100, subscribers: 3, ...change });
}

function chosen(service: string, change: Partial<WorkloadInput> = {}) {
  return priceWorkload(workload(change), { services: [service] })[0]!;
}

describe('the cheapest tier that fits is chosen, and the others say why not', () => {
  test('SignalR: 20 connections are free, the twenty-first needs a unit, the thousand-and-first a second', () => {
    expect(chosen('signalr', { subscribers: 19 })).toMatchObject({ tier: 'free', monthlyUsd: 0, rejected: [] });
    const row = chosen('signalr', { subscribers: 20 });
    expect(row).toMatchObject({ tier: 'standard', size: '1 unit', monthlyUsd: 48.97 });
    expect(row.rejected).toEqual([{ tier: 'free', reason: 'Free: 21 connections (limit 20)' }]);
    expect(chosen('signalr', { subscribers: 1_000 })).toMatchObject({ size: '2 units', monthlyUsd: 97.94 });
    expect(chosen('signalr', { subscribers: 10_500 })).toMatchObject({ size: '20 units' });
    expect(chosen('signalr', { subscribers: 100_001 })).toMatchObject({ possible: false, monthlyUsd: null });
  });

  test('SignalR: the free unit stops at 20,000 messages a day', () => {
    const day = (messages: number) => ({ publishes: { perMonth: messages * 30, daysPerMonth: 30 }, subscribers: 1 });
    expect(chosen('signalr', day(20_000)).tier).toBe('free');
    expect(chosen('signalr', day(20_001)).tier).toBe('standard');
  });

  test('SignalR in default mode: hub servers connect too', () => {
    const services = { signalr: { mode: 'default' as const, appServers: 2 } };
    expect(chosen('signalr', { subscribers: 9, services }).tier).toBe('free');
    expect(chosen('signalr', { subscribers: 10, services }).tier).toBe('standard');
  });

  test('Service Bus: topics need Standard, large events and many connections Premium', () => {
    expect(chosen('service-bus', { subscribers: 1 })).toMatchObject({ tier: 'basic', idleMonthlyUsd: 0 });
    expect(chosen('service-bus', { subscribers: 3, groups: 1 })).toMatchObject({ tier: 'basic' });
    expect(chosen('service-bus').rejected[0]).toEqual({
      tier: 'basic',
      reason: 'Basic: queues only, so one copy of an event, where 3 are wanted',
    });
    expect(chosen('service-bus', { payloadBytes: 262_145 })).toMatchObject({ tier: 'premium', size: '1 MU' });
    expect(chosen('service-bus', { payloadBytes: 262_145, connections: { peak: 2_500 } }).size).toBe('4 MU');
    expect(chosen('service-bus', { subscribers: 2_001 }).reason).toContain('2,001 subscriptions (limit 2,000)');
    // A group takes two, and each of its members one for what is addressed to it.
    const inGroups = (subscribers: number) => chosen('service-bus', { subscribers, groups: 5 });
    expect(inGroups(1_990).tier).toBe('standard');
    expect(inGroups(1_991).reason).toContain('2,001 subscriptions (limit 2,000)');
  });

  test('Service Bus: more than 1,000 operations a second are throttled below Premium', () => {
    const publishes = { perMonth: 1e6, peakPerSecond: 143 };
    expect(chosen('service-bus', { publishes }).tier).toBe('premium');
    expect(chosen('service-bus', { publishes: { ...publishes, peakPerSecond: 142 } }).tier).toBe('standard');
  });

  test('Redis: by connections, two a participant, and by what is retained', () => {
    expect(chosen('azure-cache-for-redis', { subscribers: 127 })).toMatchObject({ tier: 'basic', size: 'C0' });
    expect(chosen('azure-cache-for-redis', { subscribers: 128 })).toMatchObject({ tier: 'basic', size: 'C1' });
    const services = { 'azure-cache-for-redis': { connections: 200 } };
    expect(chosen('azure-cache-for-redis', { subscribers: 128, services }).size).toBe('C0');
    const kept = { publishes: { perMonth: 30e6, daysPerMonth: 30 }, payloadBytes: 1024, retentionHours: 24 };
    expect(chosen('azure-cache-for-redis', kept).size).toBe('C1');
    expect(chosen('azure-cache-for-redis', { ...kept, retentionHours: 26 }).size).toBe('C2');
  });

  test('who wants high availability gets no free unit, no single machine, and is told so', () => {
    const highAvailability = true;
    expect(chosen('azure-cache-for-redis', { highAvailability }).tier).toBe('standard');
    expect(chosen('azure-managed-redis', { highAvailability })).toMatchObject({ monthlyUsd: 94.9 });
    expect(chosen('signalr', { highAvailability }).tier).toBe('standard');
    expect(chosen('redis', { highAvailability })).toMatchObject({
      possible: false,
      reason: 'Self-hosted: no service level is promised',
    });
  });

  test('competing consumers rule out what only broadcasts', () => {
    const rows = priceWorkload(workload({ groups: 1 }));
    const without = rows.filter((row) => row.reason?.includes('no competing consumers')).map((row) => row.service);
    expect(without).toEqual([
      'signalr',
      'web-pubsub',
      'event-grid',
      'iot-hub',
      'notification-hubs',
      'ably',
      'pusher',
      'pubnub',
    ]);
    expect(rows.find((row) => row.service === 'event-grid-namespaces')).toMatchObject({ tier: 'pull', possible: true });
  });

  test.each([
    ['event-grid', 501, '501 subscriptions (limit 500)'],
    ['pusher', 30_001, '30,002 connections (limit 30,000)'],
    ['event-hubs', 1_001, '1,001 consumer groups (limit 1,000)'],
  ])('%s cannot serve %d subscribers', (service, subscribers, reason) => {
    expect(chosen(service, { subscribers })).toMatchObject({
      possible: false,
      reason: expect.stringContaining(reason),
    });
  });

  test.each([
    ['pusher', 10_240],
    ['pubnub', 32_768],
    ['storage-queues', 65_536],
    ['notification-hubs', 4_096],
    ['signalr', 1_048_576],
    ['ably', 262_144],
  ])('%s takes events of %d bytes and not one more', (service, bytes) => {
    expect(chosen(service, { payloadBytes: bytes }).possible).toBe(true);
    expect(chosen(service, { payloadBytes: bytes + 1 })).toMatchObject({ possible: false, idleMonthlyUsd: null });
  });

  test('Event Hubs: throughput units follow the busiest moment, and stay in idle months', () => {
    const publishes = { perMonth: 1e6, peakPerSecond: 2_500 };
    const row = chosen('event-hubs', { publishes, subscribers: 1 });
    expect(row).toMatchObject({ tier: 'basic', size: '3 TU', idleMonthlyUsd: 32.85 });
    // Ten readers: 25,000 events a second out at 4,096 a unit.
    expect(chosen('event-hubs', { publishes, subscribers: 10 })).toMatchObject({ tier: 'standard', size: '7 TU' });
  });

  test('IoT Hub: the cheapest mix of size and number', () => {
    const day = (messages: number) => ({
      publishes: { perMonth: (messages / 2) * 30, daysPerMonth: 30 },
      subscribers: 1,
    });
    expect(chosen('iot-hub', day(400_000)).size).toBe('1 × S1');
    expect(chosen('iot-hub', day(400_001 * 2)).size).toBe('3 × S1');
    expect(chosen('iot-hub', day(4_400_000))).toMatchObject({ size: '1 × S2', monthlyUsd: 250 });
  });

  test('Ably: the busiest second decides too, and batches make it calmer', () => {
    const publishes = { perMonth: 1000, peakPerSecond: 100 };
    expect(chosen('ably', { publishes }).reason).toContain('100 publishes a second on one channel (limit 50)');
    expect(chosen('ably', { publishes, topics: 2 })).toMatchObject({ tier: 'free' });
    expect(chosen('ably', { publishes, eventsPerBatch: 10 })).toMatchObject({ tier: 'free' });
    const many = { publishes, topics: 2, subscribers: 30 };
    expect(chosen('ably', many).rejected[0]!.reason).toBe('Free: 3,100 messages a second (limit 500)');
  });

  test('Ably by users: not beyond fair use', () => {
    const services = { ably: { tier: 'mau-standard' } };
    const connections = { hoursPerMonth: 30 };
    expect(chosen('ably', { services, connections })).toMatchObject({ monthlyUsd: 29.2, possible: true });
    expect(chosen('ably', { services }).reason).toContain('connection minutes');
  });

  test('Relay has no price, and says so', () => {
    expect(chosen('relay')).toMatchObject({
      tier: '',
      possible: false,
      reason: 'no price was found',
      monthlyUsd: null,
      idleMonthlyUsd: null,
      priceDate: null,
      confidence: 'none',
    });
  });

  test('every tier on request, the impossible ones with their reason', () => {
    const rows = priceWorkload(workload({ subscribers: 50 }), { services: ['signalr'], tiers: 'all' });
    expect(rows.map(({ tier, possible }) => [tier, possible])).toEqual([
      ['free', false],
      ['standard', true],
      ['premium', true],
    ]);
  });
});

describe('rows', () => {
  test('one for every service, in the order of the list', () => {
    expect(priceWorkload(DEFAULT_WORKLOAD).map((row) => row.service)).toEqual(listServices().map((it) => it.service));
  });

  test('have the shape that scripts rely on', () => {
    expect(chosen('service-bus')).toMatchObject({
      service: 'service-bus',
      tier: 'standard',
      billedUnits: { operations: 7000, brokeredConnections: 4, baseHours: 730 },
      monthlyUsd: 9.81,
      idleMonthlyUsd: 9.81,
      priceDate: '2024-07',
      confidence: 'high',
    });
  });

  test('confidence is the lowest of the prices used, bands that are not reached left out', () => {
    const at = (peak: number) =>
      chosen('service-bus', { connections: { peak }, services: { 'service-bus': { tier: 'standard' } } });
    expect(at(5_000).confidence).toBe('high');
    expect(chosen('notification-hubs', { publishes: { perMonth: 3_000_000 } }).confidence).toBe('high');
    expect(chosen('notification-hubs', { publishes: { perMonth: 4_000_000 } }).confidence).toBe('medium');
    expect(chosen('web-pubsub').confidence).toBe('medium');
    expect(chosen('web-pubsub', { publishes: { perMonth: 1e9 } }).confidence).toBe('low');
    expect(chosen('event-grid-namespaces').confidence).toBe('low');
  });

  test('unknown services and regions are refused with the nearest name', () => {
    expect(() => priceWorkload(workload(), { services: ['servicebus'] })).toThrow(/did you mean "service-bus"/);
    expect(() => priceWorkload(workload(), { services: ['toString'] })).toThrow(/unknown service/);
    expect(() => priceWorkload(workload(), { region: 'westeurop' })).toThrow(/did you mean "westeurope"/);
    const [row] = priceWorkload(workload(), { services: ['service-bus'], region: 'eastus' });
    expect(row!.notes).toContain('No price for eastus: that of westeurope is shown');
  });

  test('the last row adds up what a solution uses, idle too, and carries its caveats', () => {
    const row = priceWorkload(WORKLOADS['architecture-center']!).at(-1)!;
    expect(row).toMatchObject({ service: 'solution', monthlyUsd: 192.08, idleMonthlyUsd: 59.08, confidence: 'high' });
    expect(row.notes[0]).toMatch(/^Inferred inputs: publishes, .*services.service-bus.perPublish$/);
    expect(row.notes.join()).toContain('71.71 USD there and 240.08 USD in all');
    const only = priceWorkload(WORKLOADS['architecture-center']!, { services: ['signalr'] });
    expect(only.map(({ service }) => service)).toEqual(['signalr']);
  });

  test('a solution with an impossible part has no total', () => {
    const row = priceWorkload(workload({ solution: ['signalr', 'relay'] })).at(-1)!;
    expect(row).toMatchObject({
      service: 'solution',
      possible: false,
      monthlyUsd: null,
      reason: 'relay: no price was found',
    });
  });
});

describe('money', () => {
  const book = (usd: number, per = 1) =>
    makePriceBook([
      {
        service: 'event-grid',
        title: 'T',
        transports: [],
        currency: 'USD',
        tiers: packagedPrices()['event-grid']!.tiers,
        prices: [
          {
            id: 'operations',
            meter: 'm',
            unit: 'u',
            usd,
            per,
            region: 'world',
            date: '2026',
            source: 's',
            confidence: 'high',
          },
        ],
      },
    ]);
  const usd = (operations: number, price: number, per?: number) => {
    const services = { 'event-grid': { perPublish: { operations: 1 } } };
    const input = workload({ publishes: { perMonth: operations, peakPerSecond: 1 }, services });
    return priceWorkload(input, { services: ['event-grid'], prices: book(price, per) })[0]!.monthlyUsd;
  };

  test('is exact where binary fractions are not', () => {
    expect(usd(3, 0.1)).toBe(0.3);
    expect(usd(35, 1.001)).toBe(35.04);
    expect(usd(1_005, 0.001)).toBe(1.01);
    expect(usd(999_999_999_999_999, 0.000001)).toBe(1_000_000_000);
    expect(usd(123_456_789_012_345, 0.01, 1_000_000)).toBe(1_234_567.89);
  });

  test('is rounded once, half a cent upwards', () => {
    expect(usd(1, 0.005)).toBe(0.01);
    expect(usd(1, 0.004999999)).toBe(0);
    expect(usd(0, 1)).toBe(0);
  });
});

describe('cost against volume', () => {
  test('one point a volume, on a logarithmic axis unless said otherwise', () => {
    const points = costCurve(DEFAULT_WORKLOAD, 'service-bus');
    expect(points.map((point) => point.volume)).toEqual(DEFAULT_VOLUMES);
    expect(DEFAULT_VOLUMES[0]).toBe(1e3);
    expect(DEFAULT_VOLUMES.at(-1)).toBe(1e10);
    expect(points[0]).toMatchObject({ monthlyUsd: 9.81, tier: 'standard' });
  });

  test('agrees with pricing the same workload at that volume', () => {
    const at = (perMonth: number) => workload({ publishes: { perMonth } });
    const volumes = [0, 1, 1e5, 1e8];
    for (const service of listServices().map((it) => it.service)) {
      const points = costCurve(at(1e6), service, volumes);
      const rows = volumes.map((volume) => priceWorkload(at(volume), { services: [service] })[0]!);
      expect(
        points.map((point) => point.monthlyUsd),
        service,
      ).toEqual(rows.map((row) => row.monthlyUsd));
    }
  });

  test('ends where nothing fits', () => {
    const points = costCurve(workload(), 'pusher', [1e3, 1e12]);
    expect(points.map((point) => point.monthlyUsd)).toEqual([0, null]);
  });
});

test('units predicted and metered are held against each other by name', () => {
  expect(compareUnits({ operations: 7, polls: 1 }, { operations: 9 })).toEqual([
    { unit: 'operations', predicted: 7, metered: 9, difference: 2, equal: false },
    { unit: 'polls', predicted: 1, metered: 0, difference: -1, equal: false },
  ]);
  expect(compareUnits({ operations: 0.1 + 0.2 }, { operations: 0.3 })[0]!.equal).toBe(true);
  expect(compareUnits({}, {})).toEqual([]);
  expect(sumUnits([{ operations: 7 }, { operations: 2, polls: 1 }, {}])).toEqual({ operations: 9, polls: 1 });
});
