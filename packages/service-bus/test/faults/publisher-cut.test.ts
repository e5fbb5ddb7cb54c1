import { describe, expect, it } from 'vitest';
import type { Deed } from './faulty-proxy.ts';
import { Ledger } from './ledger.ts';
import { ALERT, Scene } from './scene.ts';
import { opening, publishing, sending } from './stages.ts';

const shop = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };
/** Of several frames: one takes a megabyte at most. */
const LARGE = 'x'.repeat(2_500_000);
const transport = { maxMessageBytes: 4_000_000 };
/** A lost connection is tried again every quarter of a second; the rest is handshakes, on a machine with other work. */
const CUT_WITHIN_MS = 5_000;
const DEEDS: readonly Deed[] = ['cut', 'halve', 'swallow'];
const WITHIN_MS = { cut: CUT_WITHIN_MS, halve: CUT_WITHIN_MS, swallow: 2 * ALERT.operationTimeoutMs + CUT_WITHIN_MS };

/** Somebody listens, past the proxy. */
async function open(): Promise<{ scene: Scene; ledger: Ledger }> {
  const scene = await Scene.open({ tier: 'premium' });
  const { entities } = scene.service.broker;
  entities.createTopic(scene.topic, { requiresDuplicateDetection: true, maxMessageSizeInKilobytes: 10_240 });
  const ledger = new Ledger();
  const { cast } = await scene.join({ self: kitchen, transport, direct: true });
  await cast.subscribe(ledger.handle);
  return { scene, ledger };
}

describe.concurrent.each(Object.entries({ ...opening, ...sending }))('%s', (_, stage) => {
  it.each(['cut', 'halve'] as const)('%s while connecting: unreachable, and nothing is left', async (deed) => {
    const { scene, ledger } = await open();
    await using _ = scene;
    const ambush = scene.proxy.await(deed, stage());
    const error = await scene.refused(scene.join({ self: shop, transport }));
    expect([ambush.done, error.code, error.retryable]).toEqual([1, 'unreachable', true]);
    expect(error.message, 'one code').not.toMatch(/^unreachable: [a-z-]+: /);
    const { cast } = await scene.join({ self: shop, transport });
    await ledger.publish(cast);
    await ledger.balanceInOrder();
    await scene.end();
  });

  it.each(DEEDS)('%s while connecting again: what is published meanwhile arrives once, in order', async (deed) => {
    const { scene, ledger } = await open();
    await using _ = scene;
    const { cast, of } = await scene.join({ self: shop, transport });
    await ledger.publish(cast);
    const ambush = scene.proxy.await(deed, stage());
    scene.proxy.cut();
    await Promise.all([ledger.publish(cast), ledger.publish(cast), ledger.publish(cast)]);
    await ledger.balanceInOrder();
    expect(ambush.done).toBe(1);
    expect(of('disconnected').length).toBeGreaterThan(0);
    expect(of('disconnected').every(({ error }) => error.retryable)).toBe(true);
    for (const { downMs, mayHaveLost } of of('reconnected')) {
      expect(mayHaveLost).toBe(false);
      expect(downMs).toBeLessThan(WITHIN_MS[deed]);
    }
    await scene.end();
  });
});

describe.concurrent.each(Object.entries(publishing))('%s', (_, stage) => {
  it.each(DEEDS)('%s: the event arrives once, whole, and in order', async (deed) => {
    const { scene, ledger } = await open();
    await using _ = scene;
    const { cast, of } = await scene.join({ self: shop, transport });
    await ledger.publish(cast, 'small');
    const ambush = scene.proxy.await(deed, stage());
    await Promise.all([ledger.publish(cast, LARGE), ledger.publish(cast, 'after'), ledger.publish(cast, 'last')]);
    await ledger.balanceInOrder();
    expect(ambush.done).toBe(1);
    expect(of('disconnected').length).toBeGreaterThan(0);
    if (deed === 'swallow') expect(of('stalled').length).toBeGreaterThan(0);
    for (const { downMs } of of('reconnected')) expect(downMs).toBeLessThan(WITHIN_MS[deed]);
    await scene.end();
  });
});
