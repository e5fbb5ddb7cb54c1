import { check, same } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import { Gate, later, pass, takenOrHeldUp } from '../wait.ts';

const requires = { capabilities: ['everyone', 'ttl'] } as const;

/** Waits until the wall clock, by which events expire, is past a time. */
async function clockPast(timeMs: number): Promise<void> {
  while (Date.now() <= timeMs) await pass(Math.max(1, timeMs - Date.now() + 1));
}

/** Waits until an event that was published with this time to live has expired, also where it counts from the arrival. */
function expired(c: CaseContext, ttlMs: number): Promise<void> {
  return clockPast(Date.now() + ttlMs + granularityMs(c) + c.slackMs);
}

/** How far an expiry may be off: what the manifest says, and a little for clocks that tick in whole ms. */
function granularityMs(c: CaseContext): number {
  return c.manifest.capabilities.ttl.numbers?.granularityMs ?? 1;
}

/** As a publisher's own: eight characters of time, six of chance. */
function newEpoch(): string {
  return Date.now().toString(36) + Math.random().toString(36).slice(2, 8).padEnd(6, '0');
}

export const ttlCases: readonly ConformanceCase[] = [
  {
    id: 'ttl/alive',
    clause: 'ttl.1',
    title: 'an event that has not expired is delivered',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      for (const ttlMs of [30_000, 60_000, 86_400_000]) await desk.publish({ type: 'order', data: ttlMs }, { ttlMs });
      await inbox.expect([30_000, 60_000, 86_400_000]);
    },
  },
  {
    id: 'ttl/expired-while-paused',
    clause: 'ttl.2',
    title: 'an event that expired during a pause is not delivered',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      inbox.subscription.pause();
      await desk.publish({ type: 'order', data: 'short' }, { ttlMs: 40 });
      await desk.publish({ type: 'order', data: 'long' }, { ttlMs: 60_000 });
      await expired(c, 40);
      inbox.subscription.resume();
      await c.fence(desk, [inbox]);
      same(inbox.data, ['long'], 'after the pause');
    },
  },
  {
    id: 'ttl/expired-behind-a-slow-handler',
    clause: 'ttl.2',
    title: 'an event that expired while waiting for its turn is not delivered',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const inbox = await c.listen(await c.join('kitchen'), {}, (event) =>
        event.data === 'slow' ? gate.passed : undefined,
      );
      await desk.publish({ type: 'order', data: 'slow' });
      await inbox.until(1);
      await desk.publish({ type: 'order', data: 'short' }, { ttlMs: 30 });
      await desk.publish({ type: 'order', data: 'long' });
      await expired(c, 30);
      gate.open();
      await c.fence(desk, [inbox]);
      same(inbox.data, ['slow', 'long'], 'what was handed over');
    },
  },
  {
    id: 'ttl/expired-in-a-group',
    clause: 'ttl.2',
    title: 'an expired event reaches no member of a group',
    requires: { capabilities: ['everyone', 'ttl', 'groups'] },
    async run(c) {
      const desk = await c.join('desk');
      const one = await c.listen(await c.join('worker'), { group: 'g' });
      const two = await c.listen(await c.join('worker'), { group: 'g' });
      one.subscription.pause();
      two.subscription.pause();
      // Not awaited: back-pressure may hold the publisher while nobody has room.
      const publishing = later(
        Promise.all(
          [0, 1, 2, 3, 4, 5].map((n) => desk.publish({ type: 'job', data: n }, { ttlMs: n % 2 === 0 ? 40 : 60_000 })),
        ),
      );
      await takenOrHeldUp(publishing);
      await expired(c, 40);
      one.subscription.resume();
      two.subscription.resume();
      await c.within(publishing, 'publishing');
      await c.until(
        () => one.count + two.count >= 3,
        () => `three deliveries, there are ${one.count + two.count}`,
      );
      await c.fence(desk, [one, two], { group: true });
      same([...one.data, ...two.data].sort(), [1, 3, 5], 'what the members got');
    },
  },
  {
    id: 'ttl/expired-in-an-iteration',
    clause: 'ttl.2',
    title: 'an event that expired before it was requested is not read',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const subscription = await (await c.join('kitchen')).subscribe();
      await desk.publish({ type: 'order', data: 'short' }, { ttlMs: 30 });
      await expired(c, 30);
      await desk.publish({ type: 'order', data: 'long' });
      const iterator = subscription[Symbol.asyncIterator]();
      const next = await c.within(iterator.next(), 'the next delivery');
      same(next.done ? undefined : next.value.event.data, 'long', 'what was read');
    },
  },
  {
    id: 'ttl/told',
    clause: 'ttl.3',
    title: 'the receiver can see when an event expires',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const before = Date.now();
      await desk.publish({ type: 'order' }, { ttlMs: 30_000 });
      const after = Date.now();
      await inbox.until(1);
      const { event } = inbox.received[0]!;
      check(
        event.expiresAtMs >= before + 30_000 - 1 && event.expiresAtMs <= after + 30_000 + 1,
        `expires ${event.expiresAtMs - before} ms after publishing instead of 30,000`,
      );
      same(event.toJSON().expirytime, new Date(event.expiresAtMs).toISOString(), 'the attribute expirytime');
    },
  },
  {
    id: 'ttl/defaults',
    clause: 'ttl.4',
    title: 'the default is ten minutes, or the value given to connect or to publish',
    requires,
    async run(c) {
      const plain = await c.join('desk');
      const brief = await c.join('desk', { ttlMs: 20_000 });
      const inbox = await c.listen(await c.join('kitchen'));
      const before = Date.now();
      await plain.publish({ type: 'order', data: 600_000 });
      await brief.publish({ type: 'order', data: 20_000 });
      await brief.publish({ type: 'order', data: 40_000 }, { ttlMs: 40_000 });
      await inbox.until(3);
      const after = Date.now();
      for (const { event } of inbox.received) {
        const ttlMs = Number(event.data);
        check(
          event.expiresAtMs >= before + ttlMs - 1 && event.expiresAtMs <= after + ttlMs + 1,
          `a ttl of ${ttlMs} ms became ${event.expiresAtMs - before}`,
        );
      }
    },
  },
  {
    id: 'ttl/never',
    clause: 'ttl.5',
    title: 'an event with infinite ttl does not expire',
    requires,
    async run(c) {
      const desk = await c.join('desk', { ttlMs: 20 });
      const inbox = await c.listen(await c.join('kitchen'));
      inbox.subscription.pause();
      await desk.publish({ type: 'order', data: 'never' }, { ttlMs: Number.POSITIVE_INFINITY });
      await clockPast(Date.now() + 40);
      inbox.subscription.resume();
      await inbox.expect(['never']);
      const { event } = inbox.received[0]!;
      same([event.expiresAtMs, event.toJSON().expirytime], [Number.POSITIVE_INFINITY, undefined], 'expiry');
    },
  },
  {
    id: 'ttl/not-tried-again',
    clause: 'ttl.6',
    title: 'an event that keeps failing is not retried after it expired',
    requires: { capabilities: ['everyone', 'ttl', 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      let firstMs = 0;
      let ttlMs = 80;
      let lateMs = 0;
      const inbox = await c.listen(
        await c.join('kitchen'),
        { retry: { maxAttempts: 1_000, baseMs: 5, maxMs: 10 } },
        (event) => {
          if (event.data === 'after') return;
          if (event.data === ttlMs) {
            firstMs ||= Date.now();
            // Where the time to live counts from the arrival, that was before the first try.
            const endMs = Math.max(event.expiresAtMs, firstMs + ttlMs) + granularityMs(c);
            lateMs = Math.max(lateMs, Date.now() - endMs);
          }
          throw new Error('never works');
        },
      );
      // Twice as long each time, until the event came and was tried again before it expired.
      for (; ; ttlMs *= 2) {
        const before = inbox.count;
        firstMs = 0;
        await desk.publish({ type: 'order', data: ttlMs }, { ttlMs });
        await expired(c, ttlMs);
        if (inbox.count >= before + 2) break;
        check(ttlMs < c.patienceMs, `it was not tried twice in ${ttlMs} ms`);
      }
      await desk.publish({ type: 'order', data: 'after' });
      await c.fence(desk, [inbox]);
      const count = inbox.count;
      await c.quiet();
      same(inbox.count - count, 0, 'tries after it expired');
      check(lateMs <= c.slackMs, `it was tried ${Math.round(lateMs)} ms after it had expired`);
      check(inbox.data.includes('after'), 'the event after it did not come');
    },
  },
  {
    id: 'ttl/no-gap',
    clause: 'ttl.7',
    title: 'expired events are not signalled as lost',
    requires: { capabilities: ['everyone', 'ttl', 'gapDetection'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'order', data: 0 });
      await inbox.until(1);
      inbox.subscription.pause();
      for (let n = 1; n < 6; n++) await desk.publish({ type: 'order', data: n }, { ttlMs: 25 });
      await expired(c, 25);
      inbox.subscription.resume();
      await desk.publish({ type: 'order', data: 'last' });
      await c.fence(desk, [inbox]);
      // That something expired is signalled as just that.
      const lost = inbox.signals.filter(({ kind }) => kind === 'gap');
      same([inbox.data, lost], [[0, 'last'], []], 'data and signals');
    },
  },
  ...[-11, 11].map(
    (offMin): ConformanceCase => ({
      id: `ttl/publisher-clock-${offMin < 0 ? 'slow' : 'fast'}`,
      clause: 'ttl.9',
      title: `a publisher whose clock is ${Math.abs(offMin)} minutes ${offMin < 0 ? 'slow' : 'fast'} is received`,
      // Where expiry is native the publisher's whole process would have to have that clock.
      requires: { capabilities: ['everyone'], emulated: ['ttl'] },
      async run(c) {
        const kitchen = await c.join('kitchen');
        const inbox = await c.listen(kitchen);
        const publisher = await c.joinBelow('desk');
        const time = Date.now() + offMin * 60_000;
        const epoch = newEpoch();
        for (let n = 1; n <= 3; n++) {
          const parts = { id: `${epoch}.${n}`, sequence: `${epoch}.1${n}`, time, expiresAtMs: time + 600_000 };
          await publisher.publish([n], { parts, expiresAtMs: parts.expiresAtMs });
        }
        await inbox.until(3);
        same([inbox.data, kitchen.dropped.expired], [[1, 2, 3], 0], 'delivered, and counted as expired');
      },
    }),
  ),
  {
    id: 'ttl/expired-is-signalled',
    clause: 'ttl.10',
    title: 'expired events are counted, and signalled once',
    requires: { capabilities: ['everyone'], emulated: ['ttl'] },
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const gate = new Gate();
      const inbox = await c.listen(kitchen, {}, (event) => (event.data === 'slow' ? gate.passed : undefined));
      await desk.publish({ type: 'order', data: 'slow' });
      await inbox.until(1);
      for (let n = 0; n < 3; n++) await desk.publish({ type: 'order', data: n }, { ttlMs: 30 });
      await expired(c, 30);
      gate.open();
      await c.fence(desk, [inbox]);
      const told = inbox.signals.filter(({ kind }) => kind === 'expired');
      same([inbox.data, kitchen.dropped.expired, told.length], [['slow'], 3, 1], 'delivered, counted, signalled');
    },
  },
];
