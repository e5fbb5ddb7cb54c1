import { queryObjects } from 'node:v8';
import { type Broadcaster, connect, type SubscribeOptions } from '@polycast/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memory } from '../src/index.ts';

const ROUNDS = 6;
const EVENTS_A_ROUND = 500;

/** Those that are still held by something. */
const promises = () => queryObjects(Promise, { format: 'count' });

let hub = 0;
let casts: Broadcaster[];
beforeEach(() => {
  casts = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(async () => {
  const closing = Promise.all(casts.map((cast) => cast.close({ drainMs: 0 })));
  await vi.advanceTimersByTimeAsync(20_000);
  await closing;
  vi.useRealTimers();
});

async function join(role: string, name: string): Promise<Broadcaster> {
  const cast = await connect({ transport: memory({ hub: name }), topic: 't', self: { role, instance: role } });
  casts.push(cast);
  return cast;
}

describe('a subscriber that hangs for ever', () => {
  test.each<[string, SubscribeOptions]>([
    ['plain', {}],
    ['in a group', { group: 'g' }],
  ])(
    '%s: nothing stays of what others published meanwhile',
    async (_, options) => {
      const name = `leaks-${hub++}`;
      const desk = await join('desk', name);
      const kitchen = await join('kitchen', name);
      await kitchen.subscribe(() => new Promise(() => {}), { ...options, bufferSize: 10 });
      const bar = await join('bar', name);
      // Has room again and again, while the other has none.
      await bar.subscribe(() => new Promise((resolve) => setTimeout(resolve, 10)), { ...options, bufferSize: 10 });

      const round = async () => {
        for (let n = 0; n < EVENTS_A_ROUND; n++) void desk.publish({ type: 'order', data: n }).catch(() => {});
        await vi.advanceTimersByTimeAsync(15_000);
      };
      await round();
      const before = promises();
      for (let n = 0; n < ROUNDS; n++) await round();
      expect(promises() - before).toBeLessThan(EVENTS_A_ROUND);
    },
    60_000,
  );
});

test('what was not handled for good is not kept for the case that it is published again', async () => {
  const name = `leaks-${hub++}`;
  const desk = await join('desk', name);
  const kitchen = await join('kitchen', name);
  let kind: Parameters<typeof queryObjects>[0] = Object;
  const subscription = await kitchen.subscribe((event, delivery) => {
    kind = event.constructor;
    return delivery.reject('never');
  });
  for (let n = 0; n < EVENTS_A_ROUND; n++) await desk.publish({ type: 'order', data: { n } });
  await subscription.drain();
  expect(queryObjects(kind, { format: 'count' })).toBeLessThan(50);
});
