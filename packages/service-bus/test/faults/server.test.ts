import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { ALERT, type Party, Scene, until } from './scene.ts';
import { ShiftedClock } from './shifted-clock.ts';

const shop = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };
/** Until a lost connection is back: it is tried every quarter of a second. */
const BACK_WITHIN_MS = 5_000;

interface Opened {
  readonly scene: Scene;
  readonly clock: ShiftedClock;
  readonly ledger: Ledger;
  readonly parties: readonly [Party, Party];
}

async function open(): Promise<Opened> {
  const clock = new ShiftedClock();
  const scene = await Scene.open({ clock });
  const ledger = new Ledger();
  const parties = [await scene.join({ self: shop }), await scene.join({ self: kitchen })] as const;
  await parties[1].cast.subscribe(ledger.handle);
  await ledger.publish(parties[0].cast);
  await ledger.balanceInOrder();
  return { scene, clock, ledger, parties };
}

function connected(parties: readonly Party[]): boolean {
  return parties.every(
    ({ of }) => of('disconnected').length > 0 && of('reconnected').length === of('disconnected').length,
  );
}

describe.concurrent('the service', () => {
  it('restarts politely: what is published meanwhile arrives, and it is said', async () => {
    const { scene, ledger, parties } = await open();
    await using _ = scene;
    const restarted = scene.service.restart();
    const publishing = [ledger.publish(parties[0].cast), ledger.publish(parties[0].cast)];
    await restarted;
    await Promise.all(publishing);
    await until('both are connected again', () => connected(parties));
    await ledger.publish(parties[0].cast);
    await ledger.balanceInOrder();
    for (const { of } of parties) {
      expect(of('disconnected').map(({ error }) => error.code)).toEqual(of('disconnected').map(() => 'disconnected'));
      for (const { mayHaveLost, downMs } of of('reconnected')) {
        expect([mayHaveLost, downMs < BACK_WITHIN_MS]).toEqual([false, true]);
      }
    }
    await scene.end();
  });

  it('is killed and started: publishes wait for it', async () => {
    const { scene, ledger, parties } = await open();
    await using _ = scene;
    await scene.service.kill();
    await until('both have noticed', () => parties.every(({ of }) => of('disconnected').length > 0));
    const publishing = [1, 2, 3].map(() => ledger.publish(parties[0].cast));
    await scene.service.start();
    await Promise.all(publishing);
    await ledger.balanceInOrder();
    await until('both are connected again', () => connected(parties));
    await scene.end();
  });

  it('is killed for good: publishing fails with a retryable error, and closing takes no longer than it should', async () => {
    const { scene, parties } = await open();
    await using _ = scene;
    const { cast } = await scene.join({ self: { ...shop, instance: 'shop-2' }, retry: { maxAttempts: 2, baseMs: 1 } });
    await scene.service.kill();
    const failed = scene.refused(cast.publish({ type: 'order' }));
    await until('it is noticed', () => parties.every(({ of }) => of('disconnected').length > 0));
    const beganMs = performance.now();
    await Promise.all([cast, ...parties.map((party) => party.cast)].map((one) => one.close({ drainMs: 500 })));
    expect(performance.now() - beganMs).toBeLessThan(15_000);
    expect((await failed).code).toMatch(/^(disconnected|closed)$/);
    // What could not be removed is removed by the service, five minutes later.
    await scene.end({ keeps: 1 });
  });

  it('freezes and thaws: stalled is said, nothing is lost', async () => {
    const { scene, clock, ledger, parties } = await open();
    await using _ = scene;
    scene.service.freeze();
    const publishing = [1, 2, 3].map(() => ledger.publish(parties[0].cast));
    await until('it is said', () => parties[0].of('stalled').length > 0);
    expect(parties[0].of('stalled')[0]?.what).toBe('server');
    expect(parties[0].of('stalled')[0]?.sinceMs).toBeGreaterThanOrEqual(ALERT.stalledAfterMs);
    await until('silence ends connections', () => parties.every(({ of }) => of('disconnected').length > 0));
    scene.service.thaw();
    await Promise.all(publishing);
    await until('both are connected again', () => connected(parties));
    await until(
      'everything has come, or is locked',
      () => ledger.handled.length + scene.held >= ledger.confirmed.length,
    );
    // The service sent some to who had gone meanwhile.
    clock.advance(300_000);
    await ledger.publish(parties[0].cast);
    await ledger.balance();
    expect(ledger.handled.length).toBe(ledger.confirmed.length);
    await scene.end();
  });

  it('cuts every connection, over and over, while events flow', async () => {
    const { scene, clock, ledger, parties } = await open();
    await using _ = scene;
    let flowing = true;
    const flow = (async () => {
      while (flowing) await ledger.publish(parties[0].cast);
    })();
    for (let round = 1; round <= 5; round++) {
      const { length } = ledger.confirmed;
      scene.service.cut();
      await until('events flow again', () => ledger.confirmed.length > length + 5);
    }
    flowing = false;
    await flow;
    // What was sent to who was gone is locked until it comes again: five minutes. All else has come, once.
    await until(
      'everything has come, or is locked',
      () => new Set(ledger.handled).size + scene.held >= ledger.confirmed.length,
    );
    await until(
      'nobody is being handed anything',
      () => new Set(ledger.handled).size + scene.held === ledger.confirmed.length,
    );
    clock.advance(300_000);
    await ledger.balance();
    await until('everything is settled', () => scene.held === 0);
    expect([ledger.handled.length, scene.deadLettered]).toEqual([ledger.confirmed.length, 0]);
    await scene.end();
  });
});

describe.concurrent('the way there', () => {
  it('becomes a black hole: noticed by silence, recovered from when it heals', async () => {
    const { scene, ledger, parties } = await open();
    await using _ = scene;
    const beganMs = performance.now();
    scene.proxy.swallow();
    const publishing = [1, 2, 3].map(() => ledger.publish(parties[0].cast));
    await until('it is noticed', () => parties.every(({ of }) => of('disconnected').length > 0));
    // Twice the keep-alive, and a second for goodbyes.
    expect(performance.now() - beganMs).toBeLessThan(2 * ALERT.keepAliveMs + 1_000 + BACK_WITHIN_MS);
    expect(parties[0].of('stalled').length).toBeGreaterThan(0);
    scene.proxy.heal();
    await scene.proxy.reap();
    await Promise.all(publishing);
    await until('both are connected again', () => connected(parties));
    await ledger.balance();
    expect(ledger.handled.length).toBe(ledger.confirmed.length);
    await scene.end();
  });

  it('is a black hole while connecting: unreachable within connectTimeoutMs', async () => {
    const scene = await Scene.open();
    await using _ = scene;
    scene.proxy.swallow();
    const beganMs = performance.now();
    const error = await scene.refused(scene.join({ self: shop, transport: { connectTimeoutMs: 300 } }));
    expect(error.code).toBe('unreachable');
    expect(performance.now() - beganMs).toBeLessThan(300 + BACK_WITHIN_MS);
    scene.proxy.heal();
    await scene.end();
  });

  it('is slow: everything arrives once, in order, and nobody is alarmed', async () => {
    const scene = await Scene.open();
    await using _ = scene;
    scene.proxy.delayMs = 40;
    const ledger = new Ledger();
    // Making a link takes a dozen round trips.
    const transport = { stalledAfterMs: 5_000, operationTimeoutMs: 10_000 };
    const parties = [
      await scene.join({ self: shop, transport }),
      await scene.join({ self: kitchen, transport }),
    ] as const;
    await parties[1].cast.subscribe(ledger.handle);
    await Promise.all(Array.from({ length: 200 }, () => ledger.publish(parties[0].cast)));
    await ledger.balanceInOrder();
    expect(parties.flatMap(({ signals }) => signals)).toEqual([]);
    scene.proxy.delayMs = 0;
    await scene.end();
  });

  it('is idle: keep-alives hold it', async () => {
    const { scene, ledger, parties } = await open();
    await using _ = scene;
    const { length } = scene.proxy.seen;
    const kept = () =>
      scene.proxy.seen.slice(length).filter(({ way, performative }) => way === 'down' && performative === 'empty');
    await until('longer than the keep-alive passes', () => kept().length >= 6);
    await ledger.publish(parties[0].cast);
    await ledger.balanceInOrder();
    expect(parties.flatMap(({ signals }) => signals)).toEqual([]);
    await scene.end();
  });
});
