import { expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { Scene, until } from './scene.ts';

const shop = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };
/** Thousands by hand: POLYCAST_CUTS=3000. */
const CUTS = Number(process.env.POLYCAST_CUTS ?? 30);
const seed = Number(process.env.POLYCAST_SEED ?? Date.now() % 1_000_000);
/** Most frames that pass before a cut: some of a handshake, or all of it and events. */
const MAX_FRAMES = 60;

it(
  `connections break ${CUTS} times, anywhere (POLYCAST_SEED=${seed}): the process lives, and what was confirmed is handled`,
  async () => {
    const random = sequence(seed);
    await using scene = await Scene.open();
    const ledger = new Ledger();
    const retry = { maxAttempts: 50, baseMs: 50, maxMs: 500 };
    const transport = { operationTimeoutMs: 5_000, stalledAfterMs: 5_000, keepAliveMs: 5_000 };
    const sender = await scene.join({ self: shop, retry, transport });
    const receiver = await scene.join({ self: kitchen, retry, transport });
    await receiver.cast.subscribe(ledger.handle, { durable: 'd', lockMs: 5_000 });
    const publishing: Promise<void>[] = [];
    for (let cut = 0; cut < CUTS; cut++) {
      let left = Math.floor(random() * MAX_FRAMES);
      const ambush = scene.proxy.await(random() < 0.5 ? 'cut' : 'halve', () => left-- === 0);
      const drip = setInterval(() => publishing.push(ledger.publish(sender.cast)), 10);
      await until('it was cut', () => ambush.done === 1).finally(() => clearInterval(drip));
      if (random() < 0.3) await scene.service.restart();
    }
    await Promise.all(publishing);
    await until(
      'all that was confirmed is handled',
      () => new Set(ledger.handled).size === ledger.confirmed.length,
      60_000,
    );
    expect(receiver.of('failed').filter(({ what }) => what !== 'settle')).toEqual([]);
    await scene.end({ keeps: 1 });
  },
  60_000 + CUTS * 2_000,
);

/** Numbers below 1, the same ones for the same seed. */
function sequence(from: number): () => number {
  let state = from | 1;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}
