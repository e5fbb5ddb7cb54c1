import { afterEach, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { gate, Scene, until } from './scene.ts';

const shop = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };

/** What keeps the process alive, by kind and number. What the test runner itself needs is among it. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = { Timeout: 0, TCPSocketWrap: 0, TLSWrap: 0, TCPServerWrap: 0 };
  for (const kind of process.getActiveResourcesInfo()) if (kind in counts) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

let scene: Scene | undefined;
afterEach(async () => scene?.[Symbol.asyncDispose]());

/** Of each fault: what happens before everybody closes. */
const faults: Record<string, (scene: Scene) => unknown> = {
  'nothing happened': () => {},
  'a cut connection': (one) => one.proxy.cut(),
  'a black hole': (one) => one.proxy.swallow(),
  'a frozen service': (one) => one.service.freeze(),
  'a connection cut, and a frozen service to connect to': (one) => {
    one.service.freeze();
    one.proxy.cut();
  },
  'a killed service': (one) => one.service.kill(),
  'a connection cut at its token': (one) => {
    one.proxy.await('cut', ({ performative, says }) => performative === 'transfer' && says('put-token'), 1_000);
    one.proxy.cut();
  },
};

/** More than the runner's own timers come and go. */
const SEVERAL = 4;

/** What a handler does with the event, and of whom: the SDK gives each answer of the service a minute. */
const unanswered: Record<string, { group?: string; hasKey?: boolean; releases?: boolean }> = {
  'accepted, of a session': { group: 'cooks', hasKey: true },
  'released, of a session': { group: 'cooks', hasKey: true, releases: true },
  accepted: {},
  released: { releases: true },
};

it.each(Object.entries(unanswered))(
  '%s, and the service never answers: after close nothing keeps the process',
  async (_, one) => {
    const { group, hasKey = false, releases = false } = one;
    await until('what others used is gone', () => resources().TCPSocketWrap === 0);
    const before = resources();
    scene = await Scene.open();
    // Nobody notices before all have closed that the connection is dead.
    const transport = { operationTimeoutMs: 60_000, keepAliveMs: 60_000 };
    const sender = await scene.join({ self: shop, direct: true });
    const receiver = await scene.join({ self: kitchen, transport });
    const { opened, open } = gate();
    let called = 0;
    await receiver.cast.subscribe(
      async (_, delivery) => {
        called++;
        await opened;
        if (releases) delivery.release();
      },
      { concurrency: SEVERAL, ...(group === undefined ? {} : { group }) },
    );
    for (let at = 0; at < SEVERAL; at++)
      await sender.cast.publish({ type: 'order' }, hasKey ? { partitionKey: `k${at}` } : {});
    await until('all are being handled', () => called === SEVERAL);
    scene.proxy.swallow();
    open();
    await Promise.all([sender, receiver].map(({ cast }) => cast.close({ drainMs: 100 })));
    await scene[Symbol.asyncDispose]();
    const left = () =>
      Object.entries(resources()).filter(([kind, count]) => count > (before[kind] ?? 0) + (kind === 'Timeout' ? 1 : 0));
    await until('nothing is left', () => left().length === 0, 5_000).catch(() => expect(left()).toEqual([]));
  },
);

it.each(Object.entries(faults))('%s: after close nothing keeps the process', async (_, fault) => {
  await until('what others used is gone', () => resources().TCPSocketWrap === 0);
  const before = resources();
  scene = await Scene.open();
  const ledger = new Ledger();
  const sender = await scene.join({ self: shop });
  const receiver = await scene.join({ self: kitchen });
  const { opened, open } = gate();
  await receiver.cast.subscribe(async (event) => {
    if (ledger.handled.length > 0) await opened;
    ledger.handle(event);
  });
  await receiver.cast.subscribe(() => {}, { group: 'cooks' });
  await ledger.publish(sender.cast);
  await ledger.publish(sender.cast);
  await until('one is handled, one is being handled', () => ledger.handled.length === 1);
  await fault(scene);
  const publishing = sender.cast.publish({ type: 'order' }).catch(() => {});
  await Promise.all([sender, receiver].map(({ cast }) => cast.close({ drainMs: 100 })));
  await publishing;
  open();
  await scene[Symbol.asyncDispose]();
  // The wait itself is a timer.
  const left = () =>
    Object.entries(resources()).filter(([kind, count]) => count > (before[kind] ?? 0) + (kind === 'Timeout' ? 1 : 0));
  await until('nothing is left', () => left().length === 0, 5_000).catch(() => expect(left()).toEqual([]));
});

it.each(
  ['nothing happened', 'a black hole', 'a connection cut, and a frozen service to connect to'].flatMap((name) => [
    [name, 'subscribe', faults[name], {}] as const,
    [name, 'subscribe in a group', faults[name], { group: 'cooks' }] as const,
  ]),
)(
  '%s: %s that is under way when the broadcaster closes settles',
  async (_, _what, fault, options) => {
    for (const afterMs of [0, 150]) {
      scene = await Scene.open();
      const { cast } = await scene.join({ self: kitchen });
      scene.proxy.delayMs = 20;
      const subscribing = cast
        .subscribe(() => {}, options)
        .then(
          () => 'subscribed',
          (error: { code?: string }) => error.code,
        );
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await fault?.(scene);
      await cast.close({ drainMs: 0 });
      const late = new Promise((resolve) => setTimeout(resolve, 15_000, 'never settled').unref());
      expect(await Promise.race([subscribing, late]), `closed after ${afterMs} ms`).not.toBe('never settled');
      await scene[Symbol.asyncDispose]();
    }
  },
  120_000,
);
