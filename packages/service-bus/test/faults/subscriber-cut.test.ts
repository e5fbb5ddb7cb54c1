import { describe, expect, it } from 'vitest';
import type { Deed } from './faulty-proxy.ts';
import { Ledger } from './ledger.ts';
import { ALERT, type Party, Scene, until } from './scene.ts';
import { ShiftedClock } from './shifted-clock.ts';
import { delivering, isDelivery, opening, receiving } from './stages.ts';

const shop = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };
/** Of several frames: one takes a megabyte at most. */
const LARGE = 'x'.repeat(2_500_000);
const transport = { maxMessageBytes: 4_000_000 };
const LOCK_MS = 300_000;
/** A lost connection is tried again every quarter of a second; the rest is handshakes, on a machine with other work. */
const CUT_WITHIN_MS = 5_000;
const DEEDS: readonly Deed[] = ['cut', 'halve', 'swallow'];
const WITHIN_MS = { cut: CUT_WITHIN_MS, halve: CUT_WITHIN_MS, swallow: 2 * ALERT.operationTimeoutMs + CUT_WITHIN_MS };

interface Opened {
  readonly scene: Scene;
  readonly clock: ShiftedClock;
  readonly ledger: Ledger;
  /** Publishes, past the proxy. */
  readonly sender: Party;
  /** Will listen, through it. */
  readonly receiver: Party;
}

async function open(): Promise<Opened> {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ tier: 'premium', clock });
  const { entities } = scene.service.broker;
  entities.createTopic(scene.topic, { requiresDuplicateDetection: true, maxMessageSizeInKilobytes: 10_240 });
  const [sender, receiver] = await Promise.all([
    scene.join({ self: shop, transport, direct: true }),
    scene.join({ self: kitchen, transport }),
  ]);
  return { scene, clock, ledger: new Ledger(), sender, receiver };
}

function expectSoon({ of }: Party, deed: keyof typeof WITHIN_MS): void {
  for (const { downMs, mayHaveLost } of of('reconnected')) {
    expect(mayHaveLost).toBe(false);
    expect(downMs).toBeLessThan(WITHIN_MS[deed]);
  }
}

describe.concurrent.each(Object.entries(receiving))('%s', (_, stage) => {
  it.each(DEEDS)('%s while subscribing: fails for now, and leaves nothing', async (deed) => {
    const { scene, ledger, sender, receiver } = await open();
    await using _ = scene;
    const ambush = scene.proxy.await(deed, stage());
    const error = await scene.refused(receiver.cast.subscribe(ledger.handle));
    expect([ambush.done, error.retryable, error.code]).toEqual([
      1,
      true,
      deed === 'swallow' ? expect.stringMatching(/^(timeout|disconnected)$/) : 'disconnected',
    ]);
    await until('its subscription is gone', () => scene.subscriptions.length === 0);
    await until(
      'it is connected again',
      () => receiver.of('reconnected').length === receiver.of('disconnected').length,
    );
    await receiver.cast.subscribe(ledger.handle);
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    await scene.end();
  });
});

describe.concurrent.each(Object.entries({ ...opening, ...receiving }))('%s', (_, stage) => {
  it.each(DEEDS)('%s while connecting again: what was published meanwhile arrives once, in order', async (deed) => {
    const { scene, ledger, sender, receiver } = await open();
    await using _ = scene;
    await receiver.cast.subscribe(ledger.handle);
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    const ambush = scene.proxy.await(deed, stage());
    const { connections } = scene.service.counts();
    scene.proxy.cut();
    // Else it sends to who is gone, and waits for the lock.
    await until('the service has noticed', () => scene.service.counts().connections < connections);
    for (let count = 0; count < 3; count++) await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    expect(ambush.done).toBe(1);
    await until('everything is settled', () => scene.held === 0);
    expect(receiver.of('disconnected').length).toBeGreaterThan(0);
    expectSoon(receiver, deed);
    await scene.end();
  });
});

describe.concurrent.each(Object.entries(delivering))('%s', (name, stage) => {
  it.each(DEEDS)(
    '%s: it arrives again where it had not, once where it was handled, and before what comes later',
    async (deed) => {
      const { scene, clock, ledger, sender, receiver } = await open();
      await using _ = scene;
      await receiver.cast.subscribe(ledger.handle, { lockMs: LOCK_MS });
      const ambush = scene.proxy.await(deed, stage());
      await ledger.publish(sender.cast, LARGE);
      await until('it happened and is repaired', () => ambush.done === 1 && receiver.of('reconnected').length > 0);
      await scene.proxy.reap();
      const later = scene.proxy.await('watch', isDelivery);
      await ledger.publish(sender.cast, 'after');
      if (name.includes('frame')) {
        // The service takes it for delivered until its lock ends. What comes later waits for it.
        await until('the one that comes later has come', () => later.done > 0);
        expect(ledger.handled).toEqual([]);
        clock.advance(LOCK_MS);
      }
      await ledger.balanceInOrder();
      await until('everything is settled', () => scene.held === 0);
      clock.advance(LOCK_MS);
      await ledger.publish(sender.cast, 'last');
      await ledger.balance();
      expect(ledger.handled.length).toBe(3);
      expect(scene.deadLettered).toBe(0);
      expectSoon(receiver, deed);
      await scene.end();
    },
  );
});
