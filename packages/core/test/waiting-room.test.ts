import { expect, test } from 'vitest';
import type { LiveDelivery } from '../src/delivery.ts';
import { systemRuntime } from '../src/runtime.ts';
import { MAX_WAIT_FOR_ROOM_MS, WaitingRoom } from '../src/waiting-room.ts';

test('what waits too long is given up, in order, and the rest stays', () => {
  let nowMs = 0;
  const timers: { atMs: number; task: () => void }[] = [];
  const runtime = {
    ...systemRuntime(),
    nowMs: () => nowMs,
    after: (delayMs: number, task: () => void) => {
      const timer = { atMs: nowMs + delayMs, task };
      timers.push(timer);
      return { cancel: () => void timers.splice(timers.indexOf(timer), 1) };
    },
  };
  const turnTo = (ms: number) => {
    nowMs = ms;
    for (const timer of timers.filter(({ atMs }) => atMs <= ms)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.task();
    }
  };
  const late: string[] = [];
  const room = new WaitingRoom(runtime, (given) => late.push(...given.map(({ event }) => event.id)));
  const deliveryOf = (id: string) => ({ event: { id } }) as LiveDelivery;
  room.add(deliveryOf('a'));
  room.add(deliveryOf('b'));
  turnTo(3_000);
  room.add(deliveryOf('c'));
  turnTo(MAX_WAIT_FOR_ROOM_MS);
  expect(late).toEqual(['a', 'b']);
  expect(room.take(5).map(({ event }) => event.id)).toEqual(['c']);
  expect(timers).toEqual([]);
  turnTo(20_000);
  expect(late).toEqual(['a', 'b']);
});
