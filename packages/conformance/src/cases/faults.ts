import { type Broadcaster, PolycastError, type Signal } from '@polycast/core';
import { check, refused, same, sameSet, show, showError } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import type { Inbox } from '../inbox.ts';
import { later, nowMs, pass } from '../wait.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const requires = { capabilities: ['everyone'] } as const;
const FAULT_MS = 40_000;

/** Publishes until it resolves; what rejects must be retryable. @returns how often it was tried */
async function persist(publisher: Broadcaster, id: string, data: unknown, deadline: number): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      await publisher.publish({ type: 'order', id, data }, { ttlMs: 600_000 });
      return tries;
    } catch (thrown) {
      check(thrown instanceof PolycastError && thrown.retryable, `publish rejected with ${showError(thrown)}`);
      if (nowMs() > deadline) throw thrown;
      await pass(20);
    }
  }
}

interface Crowd {
  readonly desk: Broadcaster;
  readonly deskSignals: Signal[];
  readonly inbox: Inbox;
}

async function crowd(c: CaseContext): Promise<Crowd> {
  const deskSignals: Signal[] = [];
  const desk = await c.join('desk', { onSignal: (signal) => deskSignals.push(signal) });
  const kitchen = await c.join('kitchen');
  const inbox = await c.listen(kitchen, { bufferSize: 20_000 });
  kitchen.onSignal((signal) => inbox.signals.push(signal));
  await desk.publish({ type: 'order', data: 'before' });
  await inbox.until(1);
  inbox.received.length = 0;
  inbox.signals.length = 0;
  return { desk, deskSignals, inbox };
}

/** Publishes `count` events from `writers` at once, breaks something on the way, and compares what came with what was taken. */
async function through(c: CaseContext, count: number, writers: number, fault: () => Promise<void>): Promise<void> {
  const { desk, deskSignals, inbox } = await crowd(c);
  const deadline = nowMs() + FAULT_MS - 5_000;
  let next = 0;
  let breaking: Promise<void> | undefined;
  await Promise.all(
    numbers(writers).map(async () => {
      while (next < count) {
        const n = next++;
        if (n === Math.floor(count / 3)) breaking = fault();
        await persist(desk, `event-${n}`, n, deadline);
      }
    }),
  );
  await breaking;
  await c.recovered(desk, [inbox]);
  const lacking = () => {
    const had = new Set(inbox.data);
    return numbers(count).filter((n) => !had.has(n));
  };
  if (c.manifest.guarantee === 'at-least-once') {
    const waited = nowMs() + c.patienceMs * 3;
    while (lacking().length > 0 && nowMs() < waited) await pass(20);
    same(lacking(), [], 'events that were taken and never came');
    return;
  }
  if (lacking().length > 0) {
    const told = [...inbox.signals, ...deskSignals].some(
      (signal) => signal.kind === 'gap' || (signal.kind === 'reconnected' && signal.mayHaveLost),
    );
    check(told, `${lacking().length} events were lost and nothing said so; signals: ${show(inbox.signals)}`);
  }
  if (c.manifest.capabilities.dedupe.level !== 'none') same(new Set(inbox.data).size, inbox.count, 'different events');
}

export const faultCases: readonly ConformanceCase[] = [
  {
    id: 'faults/cut-and-go-on',
    clause: 'faults.1',
    title: 'after a lost connection every subscription receives again, at every address',
    requires: { capabilities: ['everyone', 'role', 'instance'] },
    needs: ['cut'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const desk = await c.join('desk');
      const one = await c.listen(await c.join('kitchen/k1'));
      const two = await c.listen(await c.join('bar/b1'));
      await c.faults.cut();
      await c.recovered(desk, [one, two]);
      await desk.publish({ type: 'order', data: 'role' }, { to: 'role:kitchen' });
      await desk.publish({ type: 'order', data: 'instance' }, { to: 'instance:b1' });
      await c.fence(desk, [one, two], { to: ['role:kitchen', 'instance:b1'] });
      same([one.data, two.data], [['role'], ['instance']], 'after the cut');
    },
  },
  {
    id: 'faults/cut-with-group',
    clause: 'faults.1',
    title: 'after a lost connection a group receives again, each event once',
    requires: { capabilities: ['everyone', 'groups'] },
    needs: ['cut'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      const members: Inbox[] = [];
      for (const _ of numbers(2)) members.push(await c.listen(await c.join('worker'), { group: 'g' }));
      await c.faults.cut();
      await c.recovered(desk, [inbox]);
      const deadline = nowMs() + c.patienceMs * 3;
      for (const n of numbers(20)) await persist(desk, `job-${n}`, n, deadline);
      await c.until(
        () => new Set(members.flatMap(({ data }) => data)).size === 20,
        () => `the group should get twenty, it got ${show(members.map(({ data }) => data))}`,
      );
      sameSet(
        members.flatMap(({ data }) => data),
        numbers(20),
        'the group',
      );
    },
  },
  {
    id: 'faults/cut-is-signalled',
    clause: 'faults.2',
    title: 'a lost connection is signalled as disconnected, its recovery as reconnected',
    requires,
    needs: ['cut'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      await c.faults.cut();
      await c.recovered(desk, [inbox]);
      const kinds = () => inbox.signals.map(({ kind }) => kind);
      await c.until(
        () => kinds().includes('disconnected') && kinds().lastIndexOf('reconnected') > kinds().indexOf('disconnected'),
        () => `disconnected, then reconnected; there are ${kinds().join()}`,
      );
      for (const signal of inbox.signals) {
        if (signal.kind === 'disconnected')
          check(signal.error instanceof PolycastError, 'disconnected without a coded error');
        if (signal.kind === 'reconnected') check(signal.downMs >= 0, `down for ${signal.downMs} ms`);
      }
    },
  },
  {
    id: 'faults/cut-at-most-once-may-have-lost',
    clause: 'faults.5',
    title: 'a subscriber that lost its connection signals a possible loss if it cannot rule one out',
    requires: { capabilities: ['everyone'], guarantee: 'at-most-once' },
    needs: ['cut'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      await c.faults.cut();
      await c.recovered(desk, [inbox]);
      await c.until(
        () => inbox.signals.some((signal) => signal.kind === 'reconnected' && signal.mayHaveLost),
        () => `reconnected with mayHaveLost; there are ${show(inbox.signals)}`,
      );
    },
  },
  {
    id: 'faults/cut-at-least-once-loses-nothing',
    clause: 'faults.4',
    title: 'three hundred events published across a lost connection all arrive',
    requires: { capabilities: ['everyone'], guarantee: 'at-least-once' },
    needs: ['cut'],
    timeoutMs: FAULT_MS,
    run: (c) => through(c, 300, 10, () => c.faults.cut()),
  },
  {
    id: 'faults/cut-at-most-once-under-load',
    clause: 'faults.5',
    title: 'three hundred events published across a lost connection: losses are signalled, nothing is duplicated',
    requires: { capabilities: ['everyone'], guarantee: 'at-most-once' },
    needs: ['cut'],
    timeoutMs: FAULT_MS,
    run: (c) => through(c, 300, 10, () => c.faults.cut()),
  },
  {
    id: 'faults/cut-keeps-order',
    clause: 'faults.15',
    title: 'events published one after another across a lost connection arrive in order',
    requires: { capabilities: ['everyone', 'order'] },
    needs: ['cut'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      const deadline = nowMs() + FAULT_MS - 5_000;
      let cutting: Promise<void> | undefined;
      for (const n of numbers(150)) {
        if (n === 50) cutting = c.faults.cut();
        await persist(desk, `event-${n}`, n, deadline);
      }
      await cutting;
      await c.recovered(desk, [inbox]);
      const first = [...new Set(inbox.data as number[])];
      same(
        first,
        [...first].sort((a, b) => a - b),
        'in order of first delivery',
      );
    },
  },
  {
    id: 'faults/cut-again-and-again',
    clause: 'faults.16',
    title: 'after five lost connections each event is delivered once',
    requires,
    needs: ['cut'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      for (const _ of numbers(5)) {
        await c.faults.cut();
        await c.recovered(desk, [inbox]);
      }
      for (const n of numbers(20)) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [inbox]);
      same(inbox.data, numbers(20), 'after the cuts');
    },
  },
  {
    id: 'faults/restart-ten-thousand',
    clause: 'faults.6',
    title: 'ten thousand events published across a restart of the service all arrive',
    requires: { capabilities: ['everyone'], guarantee: 'at-least-once' },
    needs: ['restart'],
    timeoutMs: 60_000,
    run: (c) => through(c, 10_000, 100, () => c.faults.restart()),
  },
  {
    id: 'faults/restart-at-most-once',
    clause: 'faults.5',
    title: 'ten thousand events published across a restart: losses are signalled, nothing is duplicated',
    requires: { capabilities: ['everyone'], guarantee: 'at-most-once' },
    needs: ['restart'],
    timeoutMs: 60_000,
    run: (c) => through(c, 10_000, 100, () => c.faults.restart()),
  },
  {
    id: 'faults/restart-and-go-on',
    clause: 'faults.1',
    title: 'after a restart existing and new subscriptions receive',
    requires,
    needs: ['restart'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      await c.faults.restart();
      await c.recovered(desk, [inbox]);
      const fresh = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'order', data: 'after' });
      await c.fence(desk, [inbox, fresh]);
      same([inbox.data, fresh.data], [['after'], ['after']], 'old and new');
    },
  },
  {
    id: 'faults/kill-publish',
    clause: 'faults.3',
    title: 'while the service is gone a publish waits or rejects with a retryable code; later publishes succeed',
    requires: { capabilities: ['everyone', 'confirm'] },
    needs: ['kill'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      await c.faults.kill();
      const taken: number[] = [];
      const wrong: string[] = [];
      let down = true;
      const publishing = numbers(10).map((n) =>
        desk.publish({ type: 'order', data: n }).then(
          () => {
            if (down) wrong.push(`publish ${n} resolved while the service was gone`);
            taken.push(n);
          },
          (thrown: unknown) => {
            if (!(thrown instanceof PolycastError && thrown.retryable)) wrong.push(showError(thrown));
          },
        ),
      );
      await pass(200);
      down = false;
      await c.faults.start();
      await Promise.all(publishing.map((one) => c.within(one, 'a publish of the time when the service was gone')));
      same(wrong, [], 'wrong outcomes');
      await c.recovered(desk, [inbox]);
      if (c.manifest.guarantee === 'at-least-once') {
        await c.until(
          () => taken.every((n) => inbox.data.includes(n)),
          () => `taken ${taken.join()}, got ${show(inbox.data)}`,
        );
      }
    },
  },
  {
    id: 'faults/kill-close',
    clause: 'faults.9',
    title: 'closing works while the service is gone',
    requires,
    needs: ['kill'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      await c.faults.kill();
      await c.within(inbox.subscription.close(), 'close a subscription');
      await c.within(Promise.all([inbox.owner.close(), desk.close()]), 'close the broadcasters');
    },
  },
  {
    id: 'faults/kill-connect',
    clause: 'faults.10',
    title: 'connecting to a service that is gone rejects with a coded error, or succeeds once it is back',
    requires,
    needs: ['kill'],
    timeoutMs: FAULT_MS,
    async run(c) {
      await c.faults.kill();
      const connecting = c.join('desk').then(
        () => 'connected',
        (thrown: unknown) => thrown,
      );
      const outcome = await Promise.race([connecting, pass(c.patienceMs * 2)]);
      await c.faults.start();
      if (outcome === undefined) {
        same(await c.within(connecting, 'connect after the service is back'), 'connected', 'connect');
        return;
      }
      check(outcome instanceof PolycastError, `connect ended with ${show(outcome)}`);
      check(['unreachable', 'timeout', 'disconnected'].includes(outcome.code), `connect rejected with ${outcome.code}`);
      await c.within((await c.join('desk')).publish({ type: 'order' }), 'publish when it is back');
    },
  },
  {
    id: 'faults/freeze-publish',
    clause: 'faults.7',
    title: 'calls to a service that stopped responding complete when it responds again, or reject',
    requires,
    needs: ['freeze'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      await c.faults.freeze();
      const publishing = Promise.allSettled(numbers(10).map((n) => desk.publish({ type: 'order', data: n })));
      await pass(300);
      await c.faults.thaw();
      const outcomes = await c.within(publishing, 'publishes');
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') {
          const { reason } = outcome;
          check(reason instanceof PolycastError && reason.retryable, `a publish rejected with ${showError(reason)}`);
        }
      }
      await c.recovered(desk, [inbox]);
      if (c.manifest.guarantee === 'at-least-once') {
        const taken = numbers(10).filter((n) => outcomes[n]!.status === 'fulfilled');
        await c.until(
          () => taken.every((n) => inbox.data.includes(n)),
          () => `taken ${taken.join()}, got ${show(inbox.data)}`,
        );
      }
    },
  },
  {
    id: 'faults/freeze-is-signalled',
    clause: 'faults.8',
    title: 'a service that stops responding is signalled',
    requires,
    needs: ['freeze'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, deskSignals, inbox } = await crowd(c);
      await c.faults.freeze();
      const publishing = desk.publish({ type: 'order' }).catch(() => {});
      const deadline = nowMs() + 15_000;
      const told = () =>
        [...deskSignals, ...inbox.signals].some(
          (signal) => signal.kind === 'disconnected' || (signal.kind === 'stalled' && signal.what === 'server'),
        );
      while (!told() && nowMs() < deadline) await pass(50);
      await c.faults.thaw();
      await publishing;
      check(told(), 'nothing was said for 15 seconds');
    },
  },
  {
    id: 'faults/freeze-close',
    clause: 'faults.9',
    title: 'closing works while the service is not responding',
    requires,
    needs: ['freeze'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      await c.faults.freeze();
      const limitMs = 15_000;
      const closing = later(Promise.all([inbox.owner.close({ drainMs: 100 }), desk.close({ drainMs: 100 })]));
      const outcome = await Promise.race([closing.then(() => 'closed'), pass(limitMs)]);
      await c.faults.thaw();
      same(outcome, 'closed', `close within ${limitMs} ms`);
    },
  },
  {
    id: 'faults/crashed-consumer',
    clause: 'faults.11',
    title: 'events that a crashed group member held go to the other member',
    requires: { capabilities: ['everyone', 'groups', 'crashRedelivery'] },
    needs: ['abandon'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const desk = await c.join('desk');
      const transport = c.transport();
      const options = { group: 'g', lockMs: 500 };
      const crashed = await c.listen(await c.join('worker', { transport }), options, () => new Promise(() => {}));
      await desk.publish({ type: 'job', data: 'held' });
      await crashed.until(1);
      await c.faults.abandon(transport);
      const other = await c.listen(await c.join('worker'), options);
      const deadline = nowMs() + 20_000;
      while (!other.data.includes('held') && nowMs() < deadline) await pass(20);
      check(other.data.includes('held'), 'it never came to the other member');
      check(other.received[0]!.attempt >= 2, `it came as attempt ${other.received[0]!.attempt}`);
    },
  },
  {
    id: 'faults/crashed-consumer-of-several-addresses',
    clause: 'faults.11',
    title: 'an event that a crashed member held for both its group and its instance goes to the other member once',
    requires: { capabilities: ['everyone', 'role', 'instance', 'groups', 'crashRedelivery'] },
    needs: ['abandon'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const desk = await c.join('desk');
      const transport = c.transport();
      const options = { group: 'g', lockMs: 500 };
      const stuck = await c.join('cook/c1', { transport });
      const crashed = await c.listen(stuck, options, () => new Promise(() => {}));
      for (const to of [['role:cook', 'instance:c1'], ['instance:c1']] as const)
        for (const n of numbers(3)) await desk.publish({ type: 'job', data: `${to.length}.${n}` }, { to });
      await crashed.until(1);
      const other = await c.listen(await c.join('cook/c2'), options);
      await c.faults.abandon(transport);
      const deadline = nowMs() + 20_000;
      while (other.count < 3 && nowMs() < deadline) await pass(20);
      await c.fence(desk, [other], { group: true });
      sameSet(
        other.data,
        numbers(3).map((n) => `2.${n}`),
        'the other member',
      );
    },
  },
  {
    id: 'faults/crashed-participant-disturbs-nobody',
    clause: 'faults.1',
    title: 'a participant that vanishes does not affect others',
    requires,
    needs: ['abandon'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk, inbox } = await crowd(c);
      const transport = c.transport();
      const gone = await c.listen(await c.join('kitchen', { transport }));
      await c.fence(desk, [inbox, gone]);
      await c.faults.abandon(transport);
      for (const n of numbers(50)) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [inbox]);
      same(inbox.data, numbers(50), 'the one that stays');
      await c.within(gone.owner.close({ drainMs: 0 }), 'close of the one that is cut off');
    },
  },
  {
    id: 'faults/refuses-when-closed-by-fault',
    clause: 'faults.7',
    title: 'a request while the service is gone ends in time',
    requires: { capabilities: ['everyone', 'request'] },
    needs: ['kill'],
    timeoutMs: FAULT_MS,
    async run(c) {
      const { desk } = await crowd(c);
      await c.faults.kill();
      const asking = later(
        (async () => {
          try {
            return await desk.request({ type: 'question' }, { timeoutMs: 300 });
          } catch (thrown) {
            return thrown;
          }
        })(),
      );
      const outcome = await c.within(asking, 'the request');
      await c.faults.start();
      if (Array.isArray(outcome)) return same(outcome.length, 0, 'replies');
      await refused(() => Promise.reject(outcome), ['disconnected', 'unreachable', 'timeout'], 'the request');
    },
  },
];
