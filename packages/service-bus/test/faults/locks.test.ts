import type { Address, Delivery } from '@polycast/core';
import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { gate, Scene, until } from './scene.ts';
import { ShiftedClock } from './shifted-clock.ts';
import { isDelivery } from './stages.ts';

const shop = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };
/** The least that the service takes. */
const LOCK_MS = 5_000;

async function open() {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  const sender = await scene.join({ self: shop, direct: true });
  const receiver = await scene.join({ self: kitchen });
  return { scene, clock, ledger: new Ledger(), sender, receiver };
}

describe.concurrent('a lock', () => {
  it('is renewed for a handler that runs longer than any lock', async () => {
    const { scene, clock, ledger, sender, receiver } = await open();
    await using _ = scene;
    const { opened, open: finish } = gate();
    let calls = 0;
    await receiver.cast.subscribe(
      async (event) => {
        calls++;
        await opened;
        ledger.handle(event);
      },
      { lockMs: LOCK_MS },
    );
    await ledger.publish(sender.cast);
    await until('it is being handled', () => calls === 1);
    // Core renews three times a lock, by our clock; the service's runs ahead between renewals, by less than the rest.
    for (let round = 0; round < 2; round++) {
      const { billedOperations } = scene.service.counts();
      await until('it is renewed', () => scene.service.counts().billedOperations > billedOperations);
      clock.advance(LOCK_MS - 2_500);
    }
    finish();
    await ledger.balanceInOrder();
    await until('it is settled', () => scene.held === 0);
    expect([calls, receiver.of('failed').length]).toEqual([1, 0]);
    await scene.end();
  });

  it('of a session is renewed while its events come and go, though none of them is held for long', async () => {
    const scene = await Scene.open();
    await using _ = scene;
    const ledger = new Ledger();
    const sender = await scene.join({ self: shop, direct: true });
    const receiver = await scene.join({ self: kitchen });
    await receiver.cast.subscribe(ledger.handle, { group: 'cooks', lockMs: LOCK_MS });
    const taken = scene.proxy.await('watch', (frame) => frame.way === 'down' && frame.says('session-lock-lost'), 1_000);
    const untilMs = performance.now() + LOCK_MS * 1.5;
    while (performance.now() < untilMs) {
      await ledger.publish(sender.cast, undefined, { partitionKey: 'k' });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await ledger.balanceInOrder();
    expect(taken.done).toBe(0);
    await scene.end();
  });

  it('of a session and of the copy for the instance are both kept, while one handler has the event', async () => {
    const scene = await Scene.open();
    await using _ = scene;
    const ledger = new Ledger();
    const sender = await scene.join({ self: shop, direct: true });
    const receiver = await scene.join({ self: kitchen });
    const { opened, open: finish } = gate();
    let calls = 0;
    await receiver.cast.subscribe(
      async (event) => {
        calls++;
        await opened;
        ledger.handle(event);
      },
      { group: 'cooks', lockMs: LOCK_MS },
    );
    const to: Address[] = [`role:${kitchen.role}`, `instance:${kitchen.instance}`];
    await ledger.publish(sender.cast, undefined, { to, partitionKey: 'k' });
    await until('it is being handled', () => calls === 1);
    await new Promise((resolve) => setTimeout(resolve, LOCK_MS * 1.5));
    finish();
    await ledger.balance();
    await until('both copies are accepted', () => scene.held === 0);
    expect([calls, ...receiver.of('failed').map(({ error }) => error.message)]).toEqual([1]);
    await scene.end();
  });

  it('is lost while a handler runs: the handler is told, the event comes again, the first word counts for nothing', async () => {
    const { scene, clock, ledger, sender, receiver } = await open();
    await using _ = scene;
    const deliveries: Delivery[] = [];
    const { opened, open: finish } = gate();
    await receiver.cast.subscribe(
      async (event, delivery) => {
        deliveries.push(delivery);
        if (deliveries.length === 1) await opened;
        delivery.abortSignal.throwIfAborted();
        ledger.handle(event);
      },
      // With no room left the event does not come again before the lost lock is noticed.
      { lockMs: LOCK_MS, bufferSize: 1 },
    );
    await ledger.publish(sender.cast);
    await until('it is being handled', () => deliveries.length === 1);
    const aborted = new Promise((resolve) =>
      deliveries[0]?.abortSignal.addEventListener('abort', resolve, { once: true }),
    );
    clock.advance(LOCK_MS + 1);
    await aborted;
    expect(receiver.of('failed')[0]).toMatchObject({ what: 'settle', error: { code: 'lock-lost' } });
    finish();
    await ledger.balance();
    await until('it is settled', () => scene.held === 0);
    expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(ledger.handled).toEqual(['1']);
    await scene.end();
  });

  it('is lost while a handler runs, and the event comes again at once: the handler goes on under the new lock, and no other starts', async () => {
    const { scene, clock, ledger, sender, receiver } = await open();
    await using _ = scene;
    const deliveries: Delivery[] = [];
    const { opened, open: finish } = gate();
    await receiver.cast.subscribe(
      async (event, delivery) => {
        deliveries.push(delivery);
        await opened;
        delivery.abortSignal.throwIfAborted();
        ledger.handle(event);
      },
      { lockMs: LOCK_MS, concurrency: 2 },
    );
    await ledger.publish(sender.cast);
    await until('it is being handled', () => deliveries.length === 1);
    clock.advance(LOCK_MS + 1);
    await until('it came again', () => receiver.cast.dropped.duplicates === 1);
    finish();
    await ledger.balance();
    await until('it is settled', () => scene.held === 0);
    expect(deliveries).toHaveLength(1);
    expect(ledger.handled).toEqual(['1']);
    await scene.end();
  });

  it('is lost while the connection is: the event comes again to who comes back, and to no second handler', async () => {
    const { scene, clock, ledger, sender, receiver } = await open();
    await using _ = scene;
    const { opened, open: finish } = gate();
    let calls = 0;
    await receiver.cast.subscribe(
      async (event) => {
        if (++calls === 1) await opened;
        ledger.handle(event);
      },
      { lockMs: LOCK_MS, concurrency: 2 },
    );
    const came = scene.proxy.await('watch', isDelivery, 1_000);
    await ledger.publish(sender.cast);
    await until('it is being handled', () => calls === 1);
    scene.proxy.cut();
    clock.advance(LOCK_MS + 1);
    await until('it came again', () => came.done >= 2);
    finish();
    await ledger.balance();
    await until('it is settled', () => scene.held === 0);
    expect(calls).toBe(1);
    expect(ledger.handled).toEqual(['1']);
    await scene.end();
  });

  it('outlives a connection: what was being handled is settled over the next one, and comes once', async () => {
    const { scene, clock, ledger, sender, receiver } = await open();
    await using _ = scene;
    const { opened, open: finish } = gate();
    let calls = 0;
    await receiver.cast.subscribe(async (event) => {
      calls++;
      await opened;
      ledger.handle(event);
    });
    await ledger.publish(sender.cast);
    await until('it is being handled', () => calls === 1);
    scene.proxy.cut();
    await until('it is connected again', () => receiver.of('reconnected').length === 1);
    // Nothing is acknowledged that was not handled.
    expect(scene.held).toBe(1);
    finish();
    await ledger.balanceInOrder();
    await until('it is settled', () => scene.held === 0);
    clock.advance(300_000);
    await ledger.publish(sender.cast);
    await ledger.balance();
    expect([calls, receiver.of('failed').length]).toEqual([2, 0]);
    await scene.end();
  });

  it('of a session is lost: its events come again, in order', async () => {
    const { scene, clock, ledger, sender, receiver } = await open();
    await using _ = scene;
    const { opened, open: finish } = gate();
    let calls = 0;
    const subscription = await receiver.cast.subscribe(
      async (event, { abortSignal: signal }) => {
        if (++calls === 1) await opened;
        signal.throwIfAborted();
        ledger.handle(event);
      },
      // With no room left nothing comes again before the lost lock is noticed.
      { group: 'cooks', lockMs: LOCK_MS, bufferSize: 3 },
    );
    for (let count = 0; count < 3; count++) await ledger.publish(sender.cast, count, { partitionKey: 'table-1' });
    await until('the first is being handled, and two wait', () => calls === 1 && subscription.pending === 3);
    clock.advance(LOCK_MS + 1);
    await until('it is told', () => receiver.of('failed').some(({ error }) => error.code === 'lock-lost'));
    finish();
    await ledger.balance();
    expect(ledger.handled).toEqual(['1', '2', '3']);
    await until('it is settled', () => scene.held === 0);
    await scene.end();
  });
});
