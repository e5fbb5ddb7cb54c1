import { expect, it, vi } from 'vitest';
import { Ledger } from './ledger.ts';
import { gate, Scene, until } from './scene.ts';
import { ShiftedClock } from './shifted-clock.ts';
import { isDelivery } from './stages.ts';

const LOCK_MS = 60_000;
/** The least that the service takes. */
const SHORT_LOCK_MS = 5_000;
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };

it('what the reader before still holds comes first to a durable subscription that is read again', async () => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _ = scene;
  const ledger = new Ledger();
  const { opened: never } = gate();
  const sender = await scene.join({ self: { role: 'shop', instance: 'shop-1' }, direct: true });
  const before = await scene.join({ self: kitchen });
  await before.cast.subscribe(() => never, { durable: 'menu', lockMs: LOCK_MS });
  const first = scene.proxy.await('watch', isDelivery, 3);
  for (let count = 0; count < 3; count++) await ledger.publish(sender.cast);
  await until('the reader before has them', () => first.done === 3);
  // It is gone, and never comes back.
  scene.proxy.swallow();
  await scene.proxy.reap();
  for (let count = 0; count < 3; count++) await ledger.publish(sender.cast);
  const after = await scene.join({ self: kitchen, direct: true });
  await after.cast.subscribe(ledger.handle, { durable: 'menu', lockMs: LOCK_MS });
  // It is shown what comes later, and gives it back.
  const billed = scene.service.counts().billedOperations;
  await until('it has looked', () => scene.service.counts().billedOperations >= billed + 2);
  expect(ledger.handled).toEqual([]);
  clock.advance(LOCK_MS);
  await ledger.balanceInOrder();
  scene.proxy.heal();
  await scene.proxy.reap();
  await before.cast.close({ drainMs: 0 });
  await scene.end({ keeps: 1 });
});

it('a key goes from member to member over a slow way, and each of its events is handled once', async () => {
  const scene = await Scene.open();
  await using _ = scene;
  const ledger = new Ledger();
  const sender = await scene.join({ self: { role: 'shop', instance: 'shop-1' }, direct: true });
  const members = await Promise.all(
    ['kitchen-1', 'kitchen-2'].map((instance) => scene.join({ self: { role: 'kitchen', instance } })),
  );
  for (const { cast } of members) await cast.subscribe(ledger.handle, { group: 'cooks' });
  scene.proxy.delayMs = 150;
  // Some come at the moment when the session is let go.
  for (let count = 0; count < 40; count++) {
    await ledger.publish(sender.cast, undefined, { partitionKey: 'soup' });
    await new Promise((resolve) => setTimeout(resolve, 230 + 10 * (count % 10)));
  }
  await ledger.balanceInOrder();
  scene.proxy.delayMs = 0;
  await scene.end();
}, 60_000);

it.each([
  ['a durable subscription', true],
  ['a new durable subscription', false],
])('what was lost on its way to %s is no try', async (_, isKnown) => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _scene = scene;
  const sender = await scene.join({ self: { role: 'shop', instance: 'shop-1' }, direct: true });
  const reader = await scene.join({ self: kitchen });
  const attempts: number[] = [];
  const ledger = new Ledger();
  const cut = isKnown ? undefined : scene.proxy.await('cut', isDelivery);
  await reader.cast.subscribe(
    (event, { attempt }) => {
      attempts.push(attempt);
      ledger.handle(event);
    },
    { durable: 'menu', lockMs: LOCK_MS },
  );
  if (isKnown) {
    // The first shows that nobody was sent anything before.
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
  }
  const lost = cut ?? scene.proxy.await('cut', isDelivery);
  await ledger.publish(sender.cast);
  await until('it was lost', () => lost.done === 1 && reader.of('reconnected').length > 0);
  if (isKnown) {
    const looked = scene.proxy.await('watch', isDelivery);
    await ledger.publish(sender.cast);
    await until('what comes later has come', () => looked.done > 0);
  }
  clock.advance(LOCK_MS);
  await ledger.balanceInOrder();
  expect(attempts).toEqual(ledger.confirmed.map(() => 1));
  await scene.end({ keeps: 1 });
});

/** A reader whose first handlers wait for the gate, and whatever comes waits behind them. */
async function waiting(
  scene: Scene,
  { lockMs = SHORT_LOCK_MS, ...options }: { lockMs?: number; concurrency?: number; bufferSize?: number } = {},
) {
  const sender = await scene.join({ self: { role: 'shop', instance: 'shop-1' }, direct: true });
  const reader = await scene.join({ self: kitchen });
  const ledger = new Ledger();
  const { opened, open } = gate();
  const begun: string[] = [];
  const aborted: string[] = [];
  const subscription = await reader.cast.subscribe(
    async (event, { abortSignal: signal }) => {
      begun.push(event.id);
      signal.addEventListener('abort', () => aborted.push(event.id));
      await opened;
      if (!signal.aborted) ledger.handle(event);
    },
    { lockMs, ...options },
  );
  const came = scene.proxy.await('watch', isDelivery, 1_000);
  const publish = async (count: number) => {
    for (let at = 0; at < count; at++) await ledger.publish(sender.cast);
  };
  return { reader, subscription, ledger, open, came, publish, begun, aborted };
}

it('what waits for its turn while the connection is lost keeps its lock over the next one', async () => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _ = scene;
  const { reader, subscription, ledger, open, publish, came } = await waiting(scene, { lockMs: LOCK_MS });
  await publish(5);
  await until('they wait', () => subscription.pending === 5);
  // More than half of their locks, for the service and for us. Core does not renew so soon: its timers run as ever.
  const passesMs = LOCK_MS * 0.6;
  clock.advance(passesMs);
  const now = performance.now.bind(performance);
  using _now = vi.spyOn(performance, 'now').mockImplementation(() => now() + passesMs);
  const renewed = scene.proxy.await('watch', (frame) => frame.way === 'up' && frame.says('renew-lock'), 1_000);
  const billed = scene.service.counts().billedOperations;
  scene.proxy.cut();
  await until('it is back', () => reader.of('reconnected').length > 0);
  await until('all are renewed', () => renewed.done === 5 && scene.service.counts().billedOperations >= billed + 5);
  // The locks that they came with end.
  clock.advance(LOCK_MS - passesMs);
  await publish(1);
  await until('a later one came', () => came.done > 5);
  open();
  await ledger.balanceInOrder();
  expect(reader.of('failed')).toEqual([]);
  await scene.end();
});

it('what has its lock for long is not renewed when the connection is back: each is billed', async () => {
  const scene = await Scene.open();
  await using _ = scene;
  const { reader, subscription, ledger, open, came, publish } = await waiting(scene, { lockMs: LOCK_MS });
  const many = 50;
  await publish(many);
  await until('they wait', () => subscription.pending === many);
  const billed = scene.service.counts().billedOperations;
  scene.proxy.cut();
  await until('it is back', () => reader.of('reconnected').length > 0);
  await publish(1);
  await until('a later one came', () => came.done > many);
  open();
  await ledger.balanceInOrder();
  // Accepting them is billed as well.
  expect(scene.service.counts().billedOperations - billed).toBeLessThan(1.5 * many);
  await scene.end();
});

it('what waits for its turn goes back when what was before it has lost its lock with the connection', async () => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _ = scene;
  const { reader, subscription, ledger, open, publish } = await waiting(scene);
  await publish(3);
  await until('they wait', () => subscription.pending === 3);
  clock.advance(SHORT_LOCK_MS - 1_000);
  await publish(2);
  await until('two more wait', () => subscription.pending === 5);
  scene.proxy.cut();
  // The locks of the first three end, those of the other two do not.
  clock.advance(2_000);
  await publish(1);
  await until('what is not ours any more is told', () => reader.of('failed').length >= 1);
  open();
  await ledger.balanceInOrder();
  await scene.end();
});

it('what waits for its turn goes back when what was before it has lost its lock, though the connection stays', async () => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _ = scene;
  // With no room left nothing comes again before the lost locks are noticed.
  const { reader, subscription, ledger, open, publish } = await waiting(scene, { bufferSize: 5 });
  await publish(3);
  await until('they wait', () => subscription.pending === 3);
  clock.advance(SHORT_LOCK_MS - 1_000);
  await publish(2);
  await until('two more wait', () => subscription.pending === 5);
  // The locks of the first three end, as with a process that is given no time; those of the other two do not.
  clock.advance(2_000);
  await until('what is not ours any more is told', () => reader.of('failed').length >= 1);
  await publish(2);
  open();
  await ledger.balanceInOrder();
  await scene.end();
});

it('what a handler was given stays with it when what was before it has lost its lock with the connection', async () => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _ = scene;
  const { subscription, ledger, open, came, publish, begun, aborted } = await waiting(scene, {
    concurrency: 2,
  });
  await publish(1);
  await until('one is being handled', () => begun.length === 1);
  clock.advance(SHORT_LOCK_MS - 1_000);
  await publish(2);
  await until('another is being handled, and one waits', () => begun.length === 2 && subscription.pending === 3);
  scene.proxy.cut();
  // The lock of the first ends.
  clock.advance(2_000);
  // It comes again here: its handler goes on, under the new lock.
  await until('the first came again', () => came.done >= 4);
  await publish(1);
  open();
  await ledger.balance();
  expect(aborted).toEqual([]);
  expect(begun).toEqual(['1', '2', '3', '4']);
  expect(ledger.handled).toHaveLength(4);
  await scene.end();
});
