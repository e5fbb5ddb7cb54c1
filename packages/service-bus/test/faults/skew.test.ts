import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { gate, Scene, until } from './scene.ts';
import { ShiftedClock } from './shifted-clock.ts';

const TEN_MINUTES_MS = 600_000;

describe.concurrent.each([
  ['ten minutes fast', TEN_MINUTES_MS],
  ['ten minutes slow', -TEN_MINUTES_MS],
])('a service whose clock is %s', (_, byMs) => {
  it('is used as any: made, listened to, renewed, settled after a lost connection, removed', async () => {
    const clock = new ShiftedClock(byMs);
    await using scene = await Scene.open({ clock });
    const ledger = new Ledger();
    const { cast } = await scene.join({ self: { role: 'shop', instance: 'shop-1' }, direct: true });
    const receiver = await scene.join({ self: { role: 'kitchen', instance: 'kitchen-1' } });
    const { opened, open: finish } = gate();
    let calls = 0;
    await receiver.cast.subscribe(
      async (event) => {
        calls++;
        await opened;
        ledger.handle(event);
      },
      { lockMs: 300_000 },
    );
    await ledger.publish(cast, 'still good', { ttlMs: 60_000 });
    await until('it is being handled', () => calls === 1);
    scene.proxy.cut();
    await until('it is connected again', () => receiver.of('reconnected').length === 1);
    finish();
    await ledger.balanceInOrder();
    await until('it is settled', () => scene.held === 0);
    expect([calls, receiver.of('failed')]).toEqual([1, []]);
    await scene.end();
  });
});

it('a service whose clock is more than an hour fast takes every token for expired', async () => {
  await using scene = await Scene.open({ clock: new ShiftedClock(3_660_000) });
  const error = await scene.refused(scene.join({ self: { role: 'shop', instance: 'shop-1' } }));
  expect(error.code).toBe('unauthorized');
  await scene.end();
});
