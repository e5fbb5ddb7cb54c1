import type { Signal } from '@polycast/core';
import { check, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import type { Inbox } from '../inbox.ts';
import { interfere } from '../interfere.ts';
import { Gate, nowMs, pass } from '../wait.ts';

const requires = { capabilities: ['everyone', 'settlement', 'redelivery'] } as const;
const withDeadLetter = { capabilities: ['everyone', 'settlement', 'redelivery', 'deadLetter'] } as const;
const QUICK = { baseMs: 1, maxMs: 2 } as const;

const attempts = (inbox: Inbox) => inbox.received.map(({ event, attempt }) => `${String(event.data)}@${attempt}`);

type DeadLettered = Extract<Signal, { kind: 'dead-lettered' }>;

async function deadLettered(c: CaseContext, inbox: Inbox): Promise<DeadLettered> {
  const find = () => inbox.signals.find((signal): signal is DeadLettered => signal.kind === 'dead-lettered');
  await c.until(
    () => find() !== undefined,
    () => `no dead-lettered signal; deliveries: ${attempts(inbox).join()}`,
  );
  return find()!;
}

/** How a first attempt can fail. */
const FAILURES: readonly (readonly [string, string, () => unknown])[] = [
  [
    'throws',
    'settlement.2',
    () => {
      throw new Error('at once');
    },
  ],
  [
    'rejects',
    'settlement.2',
    async () => {
      await pass(0);
      throw new Error('later');
    },
  ],
  [
    'throws-text',
    'settlement.16',
    () => {
      throw 'just text';
    },
  ],
  [
    'throws-undefined',
    'settlement.16',
    () => {
      throw undefined;
    },
  ],
  ['rejects-null', 'settlement.16', () => Promise.reject(null)],
  [
    'throws-without-prototype',
    'settlement.16',
    () => {
      throw Object.create(null);
    },
  ],
  [
    'rejects-with-an-odd-message',
    'settlement.16',
    () => Promise.reject(Object.assign(new Error(), { message: { status: 500 } })),
  ],
  [
    'throws-a-revoked-proxy',
    'settlement.16',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      throw proxy;
    },
  ],
];

export const settlementCases: readonly ConformanceCase[] = [
  {
    id: 'settlement/accepted-once',
    clause: 'settlement.1',
    title: 'an event whose handler returned is not delivered again',
    requires: { capabilities: ['everyone', 'settlement'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { retry: QUICK });
      for (let n = 0; n < 10; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [inbox]);
      same(
        attempts(inbox),
        Array.from({ length: 10 }, (_, n) => `${n}@1`),
        'deliveries',
      );
    },
  },
  ...FAILURES.map(
    ([name, clause, fail]): ConformanceCase => ({
      id: `settlement/${name}`,
      clause,
      title: `a handler that ${name.replaceAll('-', ' ')} gets the event again`,
      requires,
      async run(c) {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen'), { retry: QUICK }, (_, { attempt }) =>
          attempt === 1 ? fail() : undefined,
        );
        await desk.publish({ type: 'order', data: 'soup' });
        await inbox.until(2);
        await c.fence(desk, [inbox]);
        same(attempts(inbox), ['soup@1', 'soup@2'], 'deliveries');
      },
    }),
  ),
  {
    id: 'settlement/attempts-count',
    clause: 'settlement.3',
    title: 'attempts are counted one by one',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(
        await c.join('kitchen'),
        { retry: { ...QUICK, maxAttempts: 10 } },
        (_, { attempt }) => {
          if (attempt < 6) throw new Error('not yet');
        },
      );
      await desk.publish({ type: 'order', data: 'x' });
      await inbox.until(6);
      await c.fence(desk, [inbox]);
      same(attempts(inbox), ['x@1', 'x@2', 'x@3', 'x@4', 'x@5', 'x@6'], 'deliveries');
    },
  },
  {
    id: 'settlement/attempts-count-in-group',
    clause: 'settlement.3',
    title: 'attempts are counted in a group, too',
    requires: { capabilities: ['everyone', 'settlement', 'redelivery', 'groups'] },
    async run(c) {
      const desk = await c.join('desk');
      const react = (_: unknown, { attempt }: { attempt: number }) => {
        if (attempt < 4) throw new Error('not yet');
      };
      const options = { group: 'g', retry: QUICK };
      const one = await c.listen(await c.join('worker'), options, react);
      const two = await c.listen(await c.join('worker'), options, react);
      await desk.publish({ type: 'order', data: 'x' });
      const both = () => [...attempts(one), ...attempts(two)].sort();
      await c.until(
        () => both().length >= 4,
        () => `four attempts, there are ${both().join()}`,
      );
      await c.fence(desk, [one, two], { group: true });
      same(both(), ['x@1', 'x@2', 'x@3', 'x@4'], 'deliveries');
    },
  },
  {
    id: 'settlement/attempts-run-out',
    clause: 'settlement.4',
    title: 'after three failed attempts the event is dead-lettered and signalled',
    requires: withDeadLetter,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { retry: { ...QUICK, maxAttempts: 3 } }, (event) => {
        if (event.data === 'bad') throw new Error('burnt');
      });
      await desk.publish({ type: 'order', data: 'bad' });
      const signal = await deadLettered(c, inbox);
      await desk.publish({ type: 'order', data: 'good' });
      await c.fence(desk, [inbox]);
      same(attempts(inbox), ['bad@1', 'bad@2', 'bad@3', 'good@1'], 'deliveries');
      same([signal.attempts, signal.eventId], [3, inbox.received[0]!.event.id], 'attempts and id in the signal');
      check(signal.reason.includes('burnt'), `the reason '${signal.reason}' does not contain the error`);
    },
  },
  {
    id: 'settlement/one-try',
    clause: 'settlement.4',
    title: 'with maxAttempts 1 there is no retry',
    requires: withDeadLetter,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { retry: { maxAttempts: 1 } }, () => {
        throw new Error('burnt');
      });
      await desk.publish({ type: 'order', data: 'x' });
      const signal = await deadLettered(c, inbox);
      await c.fence(desk, [inbox]);
      same([attempts(inbox), signal.attempts], [['x@1'], 1], 'deliveries and attempts');
    },
  },
  {
    id: 'settlement/attempts-run-out-in-group',
    clause: 'settlement.4',
    title: 'a group dead-letters an event once for all members',
    requires: { capabilities: ['everyone', 'settlement', 'redelivery', 'deadLetter', 'groups'] },
    async run(c) {
      const desk = await c.join('desk');
      const options = { group: 'g', retry: { ...QUICK, maxAttempts: 3 } };
      const fail = () => {
        throw new Error('burnt');
      };
      const one = await c.listen(await c.join('worker'), options, fail);
      const two = await c.listen(await c.join('worker'), options, fail);
      await desk.publish({ type: 'order', data: 'x' });
      const signals = () => [...one.signals, ...two.signals].filter(({ kind }) => kind === 'dead-lettered');
      await c.until(() => signals().length > 0, 'no dead-lettered signal');
      await c.fence(desk, [one, two], { group: true });
      same([signals().length, one.count + two.count], [1, 3], 'signals and deliveries');
    },
  },
  {
    id: 'settlement/attempts-here-count-there',
    clause: 'settlement.4',
    title: 'attempts made by a closing member count for the member that takes over; deliveries it never started do not',
    requires: {
      capabilities: ['everyone', 'settlement', 'redelivery', 'deadLetter', 'groups', 'partitionKey'],
    },
    async run(c) {
      const desk = await c.join('desk');
      const worker = await c.join('worker');
      const tries = new Map<unknown, number[]>();
      let closing: Promise<void> | undefined;
      // Whoever has the first closes at its second try.
      const failing =
        (member: () => Inbox) =>
        async (event: { data: unknown }, { attempt }: { attempt: number }) => {
          tries.set(event.data, [...(tries.get(event.data) ?? []), attempt]);
          if (event.data === 'x' && attempt === 2) closing ??= member().subscription.close({ drainMs: 0 });
          throw new Error('burnt');
        };
      const one: Inbox = await c.listen(
        worker,
        { group: 'g', retry: { ...QUICK, maxAttempts: 3 } },
        failing(() => one),
      );
      const two: Inbox = await c.listen(
        worker,
        { group: 'g', retry: { ...QUICK, maxAttempts: 3 } },
        failing(() => two),
      );
      await desk.publish({ type: 'order', data: 'x' }, { partitionKey: 'k' });
      await desk.publish({ type: 'order', data: 'y' }, { partitionKey: 'k' });
      const setAside = () => [...one.signals, ...two.signals].filter(({ kind }) => kind === 'dead-lettered');
      await c.until(() => setAside().length === 2, 'two dead letters');
      await closing;
      same(
        [...tries].sort(),
        [
          ['x', [1, 2, 3]],
          ['y', [1, 2, 3]],
        ],
        'attempts',
      );
    },
  },
  {
    id: 'settlement/reject',
    clause: 'settlement.5',
    title: 'reject dead-letters at the first attempt with the given reason',
    requires: withDeadLetter,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { retry: QUICK }, (_, delivery) => {
        delivery.reject('no such table 🍽');
      });
      await desk.publish({ type: 'order', data: 'x' });
      const signal = await deadLettered(c, inbox);
      await c.fence(desk, [inbox]);
      same([attempts(inbox), signal.reason, signal.attempts], [['x@1'], 'no such table 🍽', 1], 'deliveries and signal');
    },
  },
  {
    id: 'settlement/release',
    clause: 'settlement.6',
    title: 'a released delivery is redelivered',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { retry: QUICK }, (_, delivery) => {
        if (delivery.attempt < 3) delivery.release();
      });
      await desk.publish({ type: 'order', data: 'x' });
      await inbox.until(3);
      await c.fence(desk, [inbox]);
      same(attempts(inbox), ['x@1', 'x@2', 'x@3'], 'deliveries');
    },
  },
  {
    id: 'settlement/release-with-delay',
    clause: 'settlement.7',
    title: 'a delivery released with a delay does not come back early',
    requires: { capabilities: ['everyone', 'settlement', 'redelivery', 'delayedRelease'] },
    async run(c) {
      const desk = await c.join('desk');
      const times: number[] = [];
      const inbox = await c.listen(await c.join('kitchen'), {}, (_, delivery) => {
        times.push(nowMs());
        if (delivery.attempt === 1) delivery.release({ delayMs: 150 });
      });
      await desk.publish({ type: 'order', data: 'x' });
      await inbox.until(2);
      const waitedMs = times[1]! - times[0]!;
      check(waitedMs >= 145, `it came back after ${Math.round(waitedMs)} ms instead of 150`);
      same(attempts(inbox), ['x@1', 'x@2'], 'deliveries');
    },
  },
  {
    id: 'settlement/release-says',
    clause: 'settlement.17',
    title: 'release with a delay returns the actual delay, or nothing if the delivery was already settled',
    requires: { capabilities: ['everyone', 'settlement', 'redelivery', 'delayedRelease'] },
    async run(c) {
      const desk = await c.join('desk');
      const said: (number | undefined)[] = [];
      const inbox = await c.listen(await c.join('kitchen'), {}, (_, delivery) => {
        said.push(delivery.release({ delayMs: 3_000_000 }), delivery.release({ delayMs: 3_000_000 }));
      });
      await desk.publish({ type: 'order', data: 'x' });
      await inbox.until(1);
      check((said[0] ?? 0) >= 3_000_000, `release said ${said[0]}`);
      same(said[1], undefined, 'what the second call says');
    },
  },
  {
    id: 'settlement/accept-then-throw',
    clause: 'settlement.8',
    title: 'accept, then throw: the event is accepted',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { retry: QUICK }, (_, delivery) => {
        delivery.accept();
        delivery.release();
        delivery.reject('too late');
        throw new Error('too late');
      });
      await desk.publish({ type: 'order', data: 'x' });
      await c.fence(desk, [inbox]);
      await c.quiet();
      same([attempts(inbox), inbox.signals], [['x@1'], []], 'deliveries and signals');
    },
  },
  {
    id: 'settlement/reject-then-return',
    clause: 'settlement.8',
    title: 'reject, then return: dead-lettered; release, then return: redelivered',
    requires: withDeadLetter,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { retry: QUICK }, (event, delivery) => {
        if (event.data === 'reject') {
          delivery.reject('first');
          delivery.accept();
        } else if (delivery.attempt === 1) {
          delivery.release();
          delivery.accept();
        }
      });
      await desk.publish({ type: 'order', data: 'reject' });
      await desk.publish({ type: 'order', data: 'release' });
      same((await deadLettered(c, inbox)).reason, 'first', 'reason');
      await inbox.until(3);
      await c.fence(desk, [inbox]);
      same(attempts(inbox), ['reject@1', 'release@1', 'release@2'], 'deliveries');
    },
  },
  {
    id: 'settlement/neighbours',
    clause: 'settlement.9',
    title: 'every third event fails twice: all are eventually accepted once',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const accepted: unknown[] = [];
      const inbox = await c.listen(await c.join('kitchen'), { retry: QUICK, concurrency: 4 }, (event, { attempt }) => {
        if (Number(event.data) % 3 === 0 && attempt < 3) throw new Error('not yet');
        accepted.push(event.data);
      });
      for (let n = 0; n < 60; n++) await desk.publish({ type: 'order', data: n });
      await c.until(
        () => accepted.length >= 60,
        () => `60 accepted, there are ${accepted.length}`,
      );
      await c.fence(desk, [inbox]);
      sameSet(
        accepted,
        Array.from({ length: 60 }, (_, n) => n),
        'accepted',
      );
      same(inbox.count, 100, 'deliveries in all');
    },
  },
  {
    id: 'settlement/goes-on-after-errors',
    clause: 'settlement.9',
    title: 'after a hundred failures everything still arrives',
    requires: withDeadLetter,
    async run(c) {
      const desk = await c.join('desk');
      let failing = true;
      const inbox = await c.listen(await c.join('kitchen'), { retry: { maxAttempts: 2, ...QUICK } }, () => {
        if (failing) throw new Error('down');
      });
      for (let n = 0; n < 50; n++) await desk.publish({ type: 'order', data: n });
      await c.until(
        () => inbox.signals.filter(({ kind }) => kind === 'dead-lettered').length === 50,
        () => `fifty should be set aside, ${inbox.signals.length} are`,
      );
      failing = false;
      for (let n = 50; n < 60; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [inbox]);
      same(
        inbox.data.slice(100),
        Array.from({ length: 10 }, (_, n) => 50 + n),
        'after the failures',
      );
    },
  },
  {
    id: 'settlement/drop',
    clause: 'settlement.10',
    title: 'a dropped event is signalled and not stored',
    requires: withDeadLetter,
    async run(c) {
      const desk = await c.join('desk');
      const aside = await c.listen(await c.join('auditor', { topic: `${c.topic}.dead-letter` }));
      const inbox = await c.listen(await c.join('kitchen'), { deadLetter: 'drop' }, (_, delivery) =>
        delivery.reject('no'),
      );
      await desk.publish({ type: 'order', data: 'x' });
      const signal = await deadLettered(c, inbox);
      same(signal.kept, undefined, 'where it is kept');
      await c.quiet();
      same(aside.data, [], 'the dead-letter topic');
    },
  },
  {
    id: 'settlement/kept',
    clause: 'settlement.10',
    title: 'a dead-lettered event is stored, and the signal states where',
    requires: withDeadLetter,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), {}, (_, delivery) => delivery.reject('no'));
      await desk.publish({ type: 'order', data: 'x' });
      const signal = await deadLettered(c, inbox);
      check((signal.kept ?? '').length > 0, 'the signal does not say where the event is kept');
    },
  },
  {
    id: 'settlement/dead-letter-topic',
    clause: 'settlement.11',
    title: 'a dead letter on a topic contains the complete event',
    requires: withDeadLetter,
    async run(c) {
      if (c.manifest.capabilities.deadLetter.level === 'native') return;
      const aside = await c.listen(await c.join('auditor', { topic: `${c.topic}.dead-letter` }));
      const desk = await c.join('desk/desk-1');
      const inbox = await c.listen(await c.join('kitchen'), { retry: { maxAttempts: 2, ...QUICK } }, () => {
        throw new Error('burnt');
      });
      await desk.publish({ type: 'order', id: 'order-1', subject: 'table 7', table: 7, data: { soup: 'ö' } });
      same((await deadLettered(c, inbox)).kept, `${c.topic}.dead-letter`, 'where it is kept');
      await aside.until(1);
      const { type, id, source, subject, table, data } = aside.received[0]!.event;
      same(
        { type, id, source, subject, table, data },
        { type: 'order', id: 'order-1', source: '/desk/desk-1', subject: 'table 7', table: 7, data: { soup: 'ö' } },
        'the dead letter',
      );
    },
  },
  {
    id: 'settlement/each-for-itself',
    clause: 'settlement.12',
    title: 'one subscription fails an event that another accepts',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const fails = await c.listen(kitchen, { retry: QUICK }, (_, { attempt }) => {
        if (attempt < 3) throw new Error('not yet');
      });
      const fine = await c.listen(kitchen);
      const elsewhere = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'order', data: 'x' });
      await fails.until(3);
      await c.fence(desk, [fails, fine, elsewhere]);
      same([fails, fine, elsewhere].map(attempts), [['x@1', 'x@2', 'x@3'], ['x@1'], ['x@1']], 'deliveries');
    },
  },
  {
    id: 'settlement/lock-is-renewed',
    clause: 'settlement.13',
    title: 'a handler that runs for several lock periods keeps its event',
    requires: { capabilities: ['everyone', 'groups', 'lock'] },
    // Many busy neighbours can hold up a renewal for longer than a lock lasts.
    alone: true,
    timeoutMs: 20_000,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const lockMs = c.stretched(600);
      const options = { group: 'g', lockMs };
      const worker = await c.listen(await c.join('worker'), options, () => gate.passed);
      await desk.publish({ type: 'job', data: 'long' });
      await worker.until(1);
      const other = await c.listen(await c.join('worker'), options);
      await pass(2.5 * lockMs);
      gate.open();
      await c.within(worker.subscription.drain(), 'the handler');
      await c.fence(desk, [worker, other], { group: true });
      same([attempts(worker), attempts(other)], [['long@1'], []], 'deliveries');
    },
  },
  {
    id: 'settlement/lock-not-renewed',
    clause: 'settlement.18',
    title: 'a handler outlives its lock, and the redelivered event starts no second handler',
    requires: { capabilities: ['everyone', 'groups', 'crashRedelivery'], native: ['lock', 'settlement'] },
    alone: true,
    timeoutMs: 40_000,
    async run(c) {
      const lockMs = Math.max(c.stretched(500), c.manifest.capabilities.lock.numbers?.minLockMs ?? 0);
      const handed: number[] = [];
      const renewsNothing = interfere(c.transport(), {
        lease(lease) {
          handed.push(lease.attempt);
          const { attempt } = lease;
          return { attempt, lockedForMs: lockMs, settle: (settlement) => lease.settle(settlement) };
        },
      });
      const desk = await c.join('desk');
      const gate = new Gate();
      const owner = await c.join('worker', { transport: renewsNothing });
      const worker = await c.listen(owner, { group: 'g', lockMs, concurrency: 2 }, () => gate.passed);
      await desk.publish({ type: 'job', data: 'long' });
      await worker.until(1);
      const isTold = () =>
        worker.signals.some(
          (signal) => signal.kind === 'failed' && signal.what === 'settle' && signal.error.code === 'lock-lost',
        );
      const endMs = nowMs() + lockMs + c.patienceMs;
      while (!isTold() && handed.length < 2 && nowMs() < endMs) await pass(20);
      check(isTold() || handed.length > 1, 'no signal of the lost lock');
      // To whom else? Some services wait longer than the lock before they hand it over again: then it is accepted as it comes.
      const againMs = nowMs() + 2 * lockMs;
      while (handed.length < 2 && nowMs() < againMs) await pass(20);
      await c.quiet();
      same(attempts(worker), ['long@1'], 'deliveries while the handler runs');
      gate.open();
      await c.within(worker.subscription.drain(), 'the handler');
      const once = nowMs() + 2 * lockMs;
      while (handed.length < 2 && nowMs() < once) await pass(20);
      await c.fence(desk, [worker], { group: true });
      same(attempts(worker), ['long@1'], 'deliveries');
    },
  },
  {
    id: 'settlement/stalled-handler',
    clause: 'settlement.14',
    title: 'a handler that does not return is signalled',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const inbox = await c.listen(await c.join('kitchen'), { stalledAfterMs: 50 }, () => gate.passed);
      await desk.publish({ type: 'order', data: 'x' });
      await c.until(
        () =>
          inbox.signals.some(
            (signal) => signal.kind === 'stalled' && signal.what === 'handler' && signal.sinceMs >= 50,
          ),
        'no stalled signal',
      );
      gate.open();
    },
  },
  {
    id: 'settlement/delivery-signal',
    clause: 'settlement.15',
    title: 'the signal of a delivery is not aborted while its handler runs',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const aborted: boolean[] = [];
      const inbox = await c.listen(await c.join('kitchen'), {}, async (_, delivery) => {
        aborted.push(delivery.abortSignal.aborted);
        await pass(5);
        aborted.push(delivery.abortSignal.aborted);
      });
      await desk.publish({ type: 'order', data: 'x' });
      await inbox.until(1);
      await c.within(inbox.subscription.drain(), 'drain');
      same(aborted, [false, false], 'aborted at the start and at the end');
    },
  },
];
