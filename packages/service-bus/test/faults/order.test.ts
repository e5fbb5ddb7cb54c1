import { expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { gate, Scene, until } from './scene.ts';
import { ShiftedClock } from './shifted-clock.ts';
import { isDelivery } from './stages.ts';

const LOCK_MS = 60_000;
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

it('what was lost on its way to a durable subscription is no try', async () => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _ = scene;
  const sender = await scene.join({ self: { role: 'shop', instance: 'shop-1' }, direct: true });
  const reader = await scene.join({ self: kitchen });
  const attempts: number[] = [];
  const ledger = new Ledger();
  await reader.cast.subscribe(
    (event, { attempt }) => {
      attempts.push(attempt);
      ledger.handle(event);
    },
    { durable: 'menu', lockMs: LOCK_MS },
  );
  // The first shows that nobody was sent anything before.
  await ledger.publish(sender.cast);
  await ledger.balanceInOrder();
  const cut = scene.proxy.await('cut', isDelivery);
  await ledger.publish(sender.cast);
  await until('it was lost', () => cut.done === 1 && reader.of('reconnected').length > 0);
  const looked = scene.proxy.await('watch', isDelivery);
  await ledger.publish(sender.cast);
  await until('what comes later has come', () => looked.done > 0);
  clock.advance(LOCK_MS);
  await ledger.balanceInOrder();
  expect(attempts).toEqual([1, 1, 1]);
  await scene.end({ keeps: 1 });
});

it('what was lost on its way to a new durable subscription is no try', async () => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _ = scene;
  const sender = await scene.join({ self: { role: 'shop', instance: 'shop-1' }, direct: true });
  const reader = await scene.join({ self: kitchen });
  const attempts: number[] = [];
  const ledger = new Ledger();
  const cut = scene.proxy.await('cut', isDelivery);
  await reader.cast.subscribe(
    (event, { attempt }) => {
      attempts.push(attempt);
      ledger.handle(event);
    },
    { durable: 'menu', lockMs: LOCK_MS },
  );
  // It is the first that the subscription was ever sent.
  await ledger.publish(sender.cast);
  await until('it was lost', () => cut.done === 1 && reader.of('reconnected').length > 0);
  clock.advance(LOCK_MS);
  await ledger.balanceInOrder();
  expect(attempts).toEqual([1]);
  await scene.end({ keeps: 1 });
});
