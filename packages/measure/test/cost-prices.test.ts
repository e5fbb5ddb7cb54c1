import { readdirSync, readFileSync } from 'node:fs';
import {
  listServices,
  makePriceBook,
  makeWorkload,
  packagedPrices,
  priceWorkload,
  type WorkloadInput,
} from '@polycast/measure';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { PRICE_FILES, WORKLOAD_FILES } from '../src/cost/data.generated.ts';

const folder = (name: string) => new URL(`../${name}/`, import.meta.url);
const read = (name: string) =>
  readdirSync(folder(name))
    .sort()
    .map((file) => [file, parse(readFileSync(new URL(file, folder(name)), 'utf8'))] as const);

function row(service: string, tier: string, change: Partial<WorkloadInput> = {}) {
  const input = { name: 'figure', publishes: { perMonth: 0 }, payloadBytes: 100, subscribers: 1, ...change };
  const options = (change.services as Record<string, object> | undefined)?.[service];
  const workload = makeWorkload({ ...input, services: { [service]: { ...options, tier } } });
  return priceWorkload(workload, { services: [service] })[0]!;
}

describe('price files', () => {
  test.each(read('prices'))('%s fits the schema and is named after its service', (file, content) => {
    expect(() => makePriceBook([content])).not.toThrow();
    expect(file).toBe(`${content.service}.yaml`);
  });

  test('there is one for every service, and none besides', () => {
    expect(Object.keys(packagedPrices()).sort()).toEqual(
      listServices()
        .map(({ service }) => service)
        .sort(),
    );
  });

  test('what travels with the code is what the files say (else: npm run embed)', () => {
    expect(PRICE_FILES).toEqual(read('prices').map(([, content]) => content));
    expect(WORKLOAD_FILES).toEqual(
      Object.fromEntries(read('workloads').map(([file, content]) => [file.replace('.yaml', ''), content])),
    );
  });

  test('ids are unique within a region, tiers that prices name exist, and sizes have their price', () => {
    for (const { service, tiers, prices } of Object.values(packagedPrices())) {
      const keys = prices.map((price) => `${price.id} ${price.region}`);
      expect(new Set(keys).size, service).toBe(keys.length);
      const known = tiers.map((tier) => tier.id);
      for (const price of prices) if (price.tier !== undefined) expect(known, service).toContain(price.tier);
      const sized = tiers.flatMap((tier) => tier.sizes ?? []).map((size) => size.price);
      for (const id of sized)
        expect(
          prices.map((price) => price.id),
          service,
        ).toContain(id);
    }
  });

  test('a price without a date or with no citable source is of low confidence', () => {
    for (const { service, prices } of Object.values(packagedPrices())) {
      if (service === 'memory' || service === 'redis') continue;
      for (const price of prices)
        if (price.date === null) expect(price.confidence, `${service} ${price.id}`).toBe('low');
    }
  });

  test.each([
    ['neither usd nor bands', { usd: undefined }, /either usd or bands/],
    ['both', { bands: [{ usd: 1 }] }, /either usd or bands/],
    ['bands that fall', { usd: undefined, bands: [{ upTo: 5, usd: 1 }, { upTo: 2, usd: 1 }, { usd: 1 }] }, /rise/],
    ['bands without an open end', { usd: undefined, bands: [{ upTo: 5, usd: 1 }] }, /rise/],
    ['a negative price', { usd: -1 }, /usd/],
    ['ten decimals', { usd: 0.0000000001 }, /9 decimals/],
    ['an odd date', { date: 'June' }, /date/],
    ['a date that is missing', { date: undefined }, /date/],
    ['a confidence nobody knows', { confidence: 'sure' }, /confidence/],
    ['a misspelt key', { regoin: 'x' }, /regoin/],
    ['a price for 7 units', { per: 7 }, /per/],
  ])('%s is refused', (_, change, message) => {
    const price = {
      id: 'a',
      meter: 'A',
      unit: 'a',
      usd: 1,
      region: 'world',
      date: '2026-01',
      source: 's',
      confidence: 'high',
    };
    const file = {
      service: 'redis',
      title: 'R',
      transports: [],
      currency: 'USD',
      tiers: [],
      prices: [{ ...price, ...change }],
    };
    expect(() => makePriceBook([JSON.parse(JSON.stringify(file))])).toThrow(message);
  });
});

describe('price files of your own', () => {
  const [eventGrid] = PRICE_FILES.filter((file) => file.service === 'event-grid');
  const [signalr] = PRICE_FILES.filter((file) => file.service === 'signalr');

  test.each([
    ['a service without a model', { ...eventGrid, service: 'event-gird' }, /did you mean "event-grid"/],
    [
      'a tier without a model',
      { ...eventGrid, tiers: [{ id: 'basc', title: 'B' }] },
      /no tier "basc"; did you mean "basic"/,
    ],
    [
      'a tier without its limits',
      { ...eventGrid, tiers: [{ id: 'basic', title: 'B' }] },
      /lacks subscriptions, eventBytes/,
    ],
    [
      'a tier without its units',
      { ...signalr, tiers: signalr!.tiers.map(({ units: _, ...tier }) => tier) },
      /tier "standard" lacks units/,
    ],
  ])('%s is refused', (_, file, message) => {
    expect(() => makePriceBook([file])).toThrow(message);
  });

  test('a price that a tier needs and the file lacks is named when it is wanted', () => {
    const prices = makePriceBook([{ ...eventGrid, prices: [] }]);
    const workload = makeWorkload({ name: 'w', publishes: { perMonth: 1 }, payloadBytes: 1, subscribers: 1 });
    expect(() => priceWorkload(workload, { prices, services: ['event-grid'] })).toThrow(/no price "operations"/);
    expect(() => priceWorkload(workload, { prices, services: ['redis'] })).toThrow(/no prices for service "redis"/);
  });
});

describe('monthly figures of the price lists', () => {
  const GIB = 2 ** 30;
  /** Enough retained events to fill so many bytes: a GiB an hour, kept for some hours. */
  const retained = (bytes: number): Partial<WorkloadInput> => ({
    publishes: { profile: [{ perSecond: GIB / 3600 / 1000, hoursPerDay: 24 }] },
    payloadBytes: 1000,
    retentionHours: bytes / GIB,
  });
  const devices = (subscribers: number): Partial<WorkloadInput> => ({ subscribers, publishers: 0 });

  test.each([
    ['service-bus', 'basic', 0, { subscribers: 1 }],
    ['service-bus', 'standard', 9.81, {}],
    ['service-bus', 'premium', 677.08, {}],
    ['signalr', 'free', 0, {}],
    ['signalr', 'standard', 48.97, {}],
    ['signalr', 'premium', 60.83, {}],
    ['web-pubsub', 'standard', 48.97, {}],
    ['web-pubsub', 'premium', 60.83, {}],
    ['event-grid', 'basic', 0, {}],
    ['event-grid-namespaces', 'pull', 29.2, {}],
    ['event-grid-namespaces', 'mqtt', 29.2, {}],
    ['azure-cache-for-redis', 'basic', 16.06, {}],
    ['azure-cache-for-redis', 'basic', 153.3, devices(4_000)],
    ['azure-cache-for-redis', 'standard', 328.5, devices(2_000)],
    ['azure-cache-for-redis', 'premium', 404.42, {}],
    ['azure-cache-for-redis', 'premium', 810.3, devices(7_000)],
    ['azure-cache-for-redis', 'premium', 1619.14, devices(15_000)],
    ['azure-managed-redis', 'single', 47.45, {}],
    ['azure-managed-redis', 'high-availability', 94.9, {}],
    ['azure-managed-redis', 'high-availability', 315.36, retained(4 * GIB)],
    ['azure-managed-redis', 'high-availability', 6832.8, retained(40 * GIB)],
    ['ably', 'free', 0, {}],
    ['ably', 'standard', 29, { connections: { hoursPerMonth: 0 } }],
    ['ably', 'pro', 399, { connections: { hoursPerMonth: 0 } }],
    ['ably', 'mau-standard', 29 + 0.05 * 100, { monthlyActiveUsers: 100 }],
    ['event-hubs', 'basic', 10.95, {}],
    ['event-hubs', 'standard', 21.9, {}],
    ['event-hubs', 'standard', 21.9 + 73, { services: { 'event-hubs': { capture: true } } }],
    ['event-hubs', 'premium', 749.71, {}],
    ['event-hubs', 'dedicated', 4999.77, {}],
    ['functions', 'consumption', 0, {}],
    ['functions', 'premium', 157.72, {}],
    ['functions', 'premium', 315.44, { services: { functions: { memoryMb: 4096 } } }],
    ['iot-hub', 'standard', 25, {}],
    ['iot-hub', 'basic', 10, { subscribers: 0 }],
    ['iot-hub', 'basic', 50, { subscribers: 0, publishes: { perMonth: 2e6 * (365 / 12) } }],
    ['iot-hub', 'standard', 250, { subscribers: 0, publishes: { perMonth: 6e6 * (365 / 12) } }],
    ['iot-hub', 'standard', 2500, { subscribers: 0, publishes: { perMonth: 300e6 * (365 / 12) } }],
    ['notification-hubs', 'basic', 10, {}],
    ['notification-hubs', 'standard', 200, {}],
    ['pusher', 'sandbox', 0, {}],
    ['pusher', 'startup', 49, {}],
    ['pusher', 'pro', 99, {}],
    ['pusher', 'business', 299, {}],
    ['pusher', 'growth-plus', 1199, {}],
    ['pubnub', 'starter', 98, {}],
    ['pubnub', 'pro', 370, {}],
    ['pubnub', 'pro', 550, { monthlyActiveUsers: 10_000 }],
    ['pubnub', 'pro', 1130, { monthlyActiveUsers: 25_000 }],
  ] as [string, string, number, Partial<WorkloadInput>][])('%s %s: %d USD', (service, tier, usd, change) => {
    expect(row(service, tier, change)).toMatchObject({ tier, monthlyUsd: usd, possible: true });
  });

  test.each([
    ['service-bus', 'basic', 1_000_000, 0.15],
    // 9.81 + (3 × 100M − 13M): 87M at 0.80, 200M at 0.50
    ['service-bus', 'standard', 100_000_000, 179.41],
    // 2 × 1,000M − 100,000 at 0.60
    ['event-grid', 'basic', 1_000_000_000, 1199.94],
    // 49M above a million a day, at 1.00, over 365/12 days
    ['signalr', 'standard', 1_000_000_000, 48.97 + 1000 - 30.42],
    ['event-hubs', 'basic', 100_000_000, 10.95 + 2.8],
    // 99M × 0.20 + (100M × 0.0125 − 0.4M) × 0.000016
    ['functions', 'consumption', 100_000_000, 19.8 + 13.6],
    // An instance of 512 MB for at least a second: (10M × 0.5 − 100,000) × 0.000026, and 9.75M × 0.40
    ['functions', 'flex', 10_000_000, 127.4 + 3.9],
    ['storage-queues', 'lrs', 10_000_000, 12],
    ['storage-queues', 'grs', 10_000_000, 24],
    ['notification-hubs', 'standard', 110_000_000, 200 + 900 + 25],
    ['pubnub', 'transactions', 1_000_000, 123 + 33],
    ['ably', 'standard', 1_000_000, 29 + 5],
  ] as [string, string, number, number][])(
    '%s %s, %d events to one subscriber: %d USD',
    (service, tier, perMonth, usd) => {
      const change = { publishes: { perMonth, peakPerSecond: 1 }, connections: { hoursPerMonth: 0 } };
      expect(row(service, tier, change).monthlyUsd).toBeCloseTo(usd, 2);
    },
  );

  test('brokered connections above a thousand are charged by the band', () => {
    const of = (connections: number) =>
      row('service-bus', 'standard', { connections: { peak: connections } }).monthlyUsd;
    expect(of(1_000)).toBe(9.81);
    expect(of(1_010)).toBe(10.11);
    expect(of(5_000)).toBe(129.81);
  });
});
