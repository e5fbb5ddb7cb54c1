import { expect, test, vi } from 'vitest';
import type { LiveDelivery } from '../src/deliver/delivery.ts';
import { MAX_WAIT_FOR_ROOM_MS, WaitingRoom } from '../src/deliver/waiting-room.ts';
import { type Broadcaster, connect } from '../src/index.ts';
import { systemRuntime } from '../src/timing/runtime.ts';
import { LoopTransport, stranger } from './loop-transport.ts';

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

test.each([1, 2])('what its handler releases counts as held, at concurrency %d', async (concurrency) => {
  const transport = new LoopTransport();
  transport.loops = false;
  const me: Broadcaster = await connect({ transport, topic: 't', self: { role: 'r', instance: 'me' } });
  const seen: unknown[] = [];
  let delayMs = 60_000;
  const subscription = await me.subscribe(
    (event, delivery) => {
      seen.push(event.data);
      if (delayMs > 0) delivery.release({ delayMs });
    },
    { bufferSize: 3, concurrency },
  );
  for (let data = 0; data < 1_000; data++) transport.receive(stranger(data));
  expect([seen.length, subscription.pending, me.dropped.overflow]).toEqual([3, 3, 997]);
  delayMs = 0;
  const closed = subscription.close();
  await closed;
  expect(seen).toEqual([0, 1, 2, 0, 1, 2]);
  await me.close();
});

test('where publishers wait, they wait for what is released', async () => {
  const transport = new LoopTransport({ backPressure: 'native' });
  transport.loops = false;
  const me: Broadcaster = await connect({ transport, topic: 't', self: { role: 'r', instance: 'me' } });
  const seen: unknown[] = [];
  await me.subscribe(
    (event, delivery) => {
      seen.push(event.data);
      if (seen.length === 1) delivery.release({ delayMs: 30 });
    },
    { bufferSize: 1 },
  );
  for (const data of ['a', 'b', 'c']) transport.receive(stranger(data));
  expect([seen, transport.sinks[0]?.sink.capacity]).toEqual([['a'], 0]);
  await vi.waitFor(() => expect(seen).toEqual(['a', 'a', 'b', 'c']));
  expect([me.dropped.overflow, transport.sinks[0]?.sink.capacity]).toEqual([0, 1_000]);
  await me.close();
});
