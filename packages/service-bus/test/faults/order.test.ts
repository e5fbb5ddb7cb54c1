import { expect, it } from 'vitest';
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

/** A reader whose first handler waits for the gate, and as many events as are waiting behind it. */
async function waiting(scene: Scene) {
  const sender = await scene.join({ self: { role: 'shop', instance: 'shop-1' }, direct: true });
  const reader = await scene.join({ self: kitchen });
  const ledger = new Ledger();
  const { opened, open } = gate();
  await reader.cast.subscribe(
    async (event, { signal }) => {
      if (!ledger.handled.includes(event.id)) await opened;
      if (!signal.aborted) ledger.handle(event);
    },
    { lockMs: SHORT_LOCK_MS },
  );
  const came = scene.proxy.await('watch', isDelivery, 1_000);
  const publish = async (count: number) => {
    for (let at = 0; at < count; at++) await ledger.publish(sender.cast);
  };
  return { reader, ledger, open, came, publish };
}

it('what waits for its turn when the connection is lost keeps its lock over the next one', async () => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _ = scene;
  const { reader, ledger, open, came, publish } = await waiting(scene);
  const sinceMs = performance.now();
  await publish(5);
  await until('they wait', () => came.done === 5);
  scene.proxy.cut();
  await until('it is back', () => reader.of('reconnected').length > 0);
  await publish(1);
  await until('a later one came', () => came.done > 5);
  // Before core renews again, three times a lock, the locks of the first five would end; that of the sixth does not.
  const billed = scene.service.counts().billedOperations;
  clock.advance((SHORT_LOCK_MS * 2) / 3 + (performance.now() - sinceMs) / 2);
  await until('all are renewed', () => scene.service.counts().billedOperations >= billed + 6);
  open();
  await ledger.balanceInOrder();
  expect(reader.of('failed')).toEqual([]);
  await scene.end();
});

it('what waits for its turn goes back when what was before it has lost its lock with the connection', async () => {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  await using _ = scene;
  const { reader, ledger, open, came, publish } = await waiting(scene);
  await publish(3);
  await until('they wait', () => came.done === 3);
  clock.advance(SHORT_LOCK_MS - 1_000);
  await publish(2);
  await until('two more wait', () => came.done === 5);
  scene.proxy.cut();
  // The locks of the first three end, those of the other two do not.
  clock.advance(2_000);
  await publish(1);
  await until('all but the first that are not ours any more are told', () => reader.of('failed').length >= 5);
  open();
  await ledger.balanceInOrder();
  await scene.end();
});
