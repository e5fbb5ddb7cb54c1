import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BroadcastEvent } from '../src/envelope/event.ts';
import { ID_WINDOW, IdMemory } from '../src/receive/id-memory.ts';
import { systemRuntime } from '../src/timing/runtime.ts';

const EPOCH = 'mgq2h0x91a2b3c';
const eventOf = (id: string, source = '/s') => new BroadcastEvent({ type: 't', source, id });

test('an id is new once, whatever the order, for each source apart', () => {
  const number = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 3 * ID_WINDOW }));
  const id = fc.oneof(
    number.map((n) => `${EPOCH}.${n}`),
    number.map((n) => `0123456789ab.${n}`),
    fc.constantFrom(`${EPOCH}.`, `${EPOCH}.0`, `${EPOCH}.01`, `${EPOCH}.x`, 'order-7', 'a.1', '.1', `${EPOCH}.1.1`),
  );
  const step = fc.record({ id, source: fc.constantFrom('/s', '/t'), forget: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const memory = new IdMemory(systemRuntime());
      const seen = new Set<string>();
      const highest = new Map<string, number>();
      for (const { id, source, forget } of steps) {
        const key = `${source} ${id}`;
        const series = `${source} ${id.slice(0, 12)}`;
        const at = Number(/^[0-9a-z]{14}\.([1-9]\d*)$/.exec(id)?.[1] ?? Number.NaN);
        const isTooFarBack = at <= (highest.get(series) ?? 0) - ID_WINDOW;
        if (forget) {
          memory.forget(eventOf(id, source));
          seen.delete(key);
        } else {
          const isNew = memory.add(eventOf(id, source));
          // What the window has passed may be taken for new, and what is new never for old.
          if (!isTooFarBack || !seen.has(key)) expect(isNew).toBe(!seen.has(key));
          seen.add(key);
          if (at > (highest.get(series) ?? 0)) highest.set(series, at);
        }
      }
    }),
  );
});

test('an id that begins with a dot is known again after others', () => {
  const memory = new IdMemory(systemRuntime());
  expect(memory.add(eventOf('.1'))).toBe(true);
  expect(memory.add(eventOf(`${EPOCH}.1`))).toBe(true);
  expect(memory.add(eventOf('.1'))).toBe(false);
});

test('an event made in this process and the same one off the wire have one identity', () => {
  const memory = new IdMemory(systemRuntime());
  expect(memory.add(new BroadcastEvent({ type: 't', source: '/s', id: 7, epoch: EPOCH }))).toBe(true);
  expect(memory.add(eventOf(`${EPOCH}.7`))).toBe(false);
  expect(memory.add(eventOf(`${EPOCH}.8`))).toBe(true);
});
