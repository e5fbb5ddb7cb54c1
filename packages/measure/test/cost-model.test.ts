import {
  listServices,
  makeWorkload,
  predictUnits,
  priceWorkload,
  type Workload,
  type WorkloadInput,
  withVolume,
} from '@polycast/measure';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const SERVICES = listServices().map(({ service }) => service);

/** Workloads of every shape, the volume left out. */
const shapes: fc.Arbitrary<Omit<WorkloadInput, 'publishes'>> = fc
  .record({
    payloadBytes: fc.integer({ min: 0, max: 70_000 }),
    envelopeBytes: fc.integer({ min: 0, max: 400 }),
    subscribers: fc.integer({ min: 0, max: 3_000 }),
    publishers: fc.integer({ min: 0, max: 50 }),
    roles: fc.integer({ min: 1, max: 10 }),
    fanOut: fc.constantFrom(
      { everyone: 1 },
      { role: 1 },
      { instance: 1 },
      { everyone: 0.25, role: 0.25, instance: 0.5 },
    ),
    carbonCopy: fc.boolean(),
    filterPassShare: fc.constantFrom(0, 0.25, 1),
    receiveMode: fc.constantFrom('peek-lock' as const, 'receive-and-delete' as const),
    redeliveryShare: fc.constantFrom(0, 0.125),
    lockRenewalsPerDelivery: fc.constantFrom(0, 2),
    duplicateShare: fc.constantFrom(0, 0.5),
    eventsPerBatch: fc.integer({ min: 1, max: 20 }),
    presenceChangesPerMonth: fc.constantFrom(0, 1_000),
    retentionHours: fc.constantFrom(0, 24),
    connections: fc.constantFrom({}, { hoursPerMonth: 0 }, { hoursPerMonth: 200, peak: 5 }),
    grouped: fc.boolean(),
  })
  .map(({ grouped, ...shape }) => ({
    name: 'generated',
    ...shape,
    ...(grouped && shape.subscribers > 0 && { groups: Math.ceil(shape.subscribers / 3) }),
  }));

const volumes = fc.integer({ min: 0, max: 2_000_000_000 });
const of = (shape: Omit<WorkloadInput, 'publishes'>, perMonth: number): Workload =>
  makeWorkload({ ...shape, publishes: { perMonth } });

describe.each(SERVICES)('%s', (service) => {
  const price = (workload: Workload) => priceWorkload(workload, { services: [service] })[0]!;

  test('costs no less for more events, and once it does not fit it never fits again', () => {
    fc.assert(
      fc.property(shapes, volumes, volumes, (shape, a, b) => {
        const less = price(of(shape, Math.min(a, b)));
        const more = price(of(shape, Math.max(a, b)));
        if (!less.possible) expect(more.possible).toBe(false);
        if (more.possible) expect(more.monthlyUsd).toBeGreaterThanOrEqual(less.monthlyUsd!);
      }),
      { numRuns: 60 },
    );
  });

  test('costs no less for more subscribers', () => {
    fc.assert(
      fc.property(shapes, volumes, fc.integer({ min: 0, max: 5_000 }), (shape, volume, extra) => {
        const { groups: _, ...ungrouped } = shape;
        const less = price(of(ungrouped, volume));
        const more = price(of({ ...ungrouped, subscribers: ungrouped.subscribers + extra }, volume));
        if (!less.possible) expect(more.possible).toBe(false);
        if (more.possible) expect(more.monthlyUsd).toBeGreaterThanOrEqual(less.monthlyUsd!);
      }),
      { numRuns: 60 },
    );
  });

  test('an idle month costs what a month without events costs, and no more than the busy one', () => {
    fc.assert(
      fc.property(shapes, volumes, (shape, volume) => {
        const silent = price(of({ ...shape, presenceChangesPerMonth: 0 }, 0));
        expect(silent.idleMonthlyUsd).toBe(silent.monthlyUsd);
        const busy = price(of(shape, volume));
        if (busy.possible) expect(busy.idleMonthlyUsd).toBeLessThanOrEqual(busy.monthlyUsd!);
      }),
      { numRuns: 60 },
    );
  });

  test('counts add up: two loads count as much as both together', () => {
    fc.assert(
      fc.property(shapes, volumes, volumes, (shape, a, b) => {
        // Polls that end empty become fewer as messages become more; whoever is never connected does not poll.
        const connections = service === 'storage-queues' ? { hoursPerMonth: 0 } : { ...shape.connections };
        const units = (volume: number) => predictUnits(service, of({ ...shape, connections }, volume));
        const [none, one, other, both] = [units(0), units(a), units(b), units(a + b)];
        for (const unit of Object.keys(both)) {
          const sum = one[unit]! + other[unit]! - none[unit]!;
          expect(Math.abs(both[unit]! - sum)).toBeLessThanOrEqual(1e-9 * Math.max(1, sum));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('every row is whole: sums with cents, a confidence, units that are counted', () => {
    fc.assert(
      fc.property(shapes, volumes, (shape, volume) => {
        const row = price(of(shape, volume));
        expect(row.service).toBe(service);
        if (!row.possible) {
          expect(row).toMatchObject({ monthlyUsd: null, idleMonthlyUsd: null, confidence: 'none' });
          expect(row.reason).toMatch(/\w/);
          return;
        }
        expect(Math.round(row.monthlyUsd! * 100) / 100).toBe(row.monthlyUsd);
        expect(['high', 'medium', 'low']).toContain(row.confidence);
        for (const count of Object.values(row.billedUnits)) expect(count).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 40 },
    );
  });
});

describe.each([
  ['service-bus', 65_536],
  ['signalr', 2_048],
  ['event-grid', 65_536],
  ['event-grid-namespaces', 65_536],
  ['ably', 5_120],
  ['event-hubs', 65_536],
  ['iot-hub', 4_096],
  ['pubnub', 2_048],
])('%s counts in steps of %d bytes', (service, step) => {
  test('the count changes just above each step, and nowhere else', () => {
    const counted = (payloadBytes: number) => {
      const units = predictUnits(
        service,
        makeWorkload({ name: 's', publishes: { perMonth: 1 }, payloadBytes, subscribers: 2 }),
      );
      return Object.values(units).reduce((sum, count) => sum + count, 0);
    };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: step }), (whole, part) => {
        expect(counted(whole * step + part)).toBe(counted((whole + 1) * step));
        expect(counted((whole + 1) * step + 1)).toBeGreaterThan(counted((whole + 1) * step));
      }),
      { numRuns: 40 },
    );
  });
});

test('a workload scaled by its own volume stays what it was', () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 1, max: 1e9 }), (shape, volume) => {
      const workload = of(shape, volume);
      expect(withVolume(workload, volume)).toEqual(workload);
    }),
    { numRuns: 40 },
  );
});
