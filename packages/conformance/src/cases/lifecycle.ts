import type { Broadcaster, Subscription, Transport } from '@polycast/core';
import { check, refused, same, sameSet, showError } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import { WatchedSignal } from '../simulation/watched-signal.ts';
import { Gate, later, pass } from '../wait.ts';

const requires = { capabilities: ['everyone'] } as const;
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Every call but `close`, each of which must be refused once a broadcaster is closed. */
const CALLS: readonly (readonly [string, (one: Broadcaster) => unknown])[] = [
  ['publish', (one) => one.publish({ type: 'order' })],
  ['publish-unconfirmed', (one) => one.publish({ type: 'order' }, { confirm: 'none' })],
  ['subscribe', (one) => one.subscribe(() => {})],
  ['subscribe-to-iterate', (one) => one.subscribe()],
  ['request', (one) => one.request({ type: 'question' }, { timeoutMs: 100 })],
  ['members', (one) => one.members({ timeoutMs: 100 })],
  ['endpoint', (one) => one.endpoint(new Request('http://polycast.test/'))],
];

/** Participants that talk and listen, so that closing has something to end. */
async function pair(c: CaseContext) {
  const desk = await c.join('desk');
  const kitchen = await c.join('kitchen');
  const inbox = await c.listen(kitchen);
  await desk.publish({ type: 'order', data: 0 });
  await inbox.until(1);
  return { desk, kitchen, inbox };
}

/** On each of several topics: who listens, all of them over one transport object, and who publishes, over another. Each has had one event. */
async function crowdOver(c: CaseContext, transport: Transport, count: number) {
  return Promise.all(
    numbers(count).map(async (n) => {
      const topic = `${c.topic}-over-${n}`;
      const [desk, owner] = await Promise.all([c.join('desk', { topic }), c.join('kitchen', { topic, transport })]);
      const inbox = await c.listen(owner);
      owner.onSignal((signal) => inbox.signals.push(signal));
      await desk.publish({ type: 'order', data: topic });
      await inbox.until(1);
      same(inbox.data, [topic], 'its own event, and no other');
      return { topic, desk, owner, inbox };
    }),
  );
}

/** What keeps the process alive, by kind. */
function handles(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) counts[type] = (counts[type] ?? 0) + 1;
  // The runner waits with timers and immediates of its own.
  return { timers: (counts.Timeout ?? 0) - 1, ...counts, Timeout: 0, Immediate: 0 };
}

async function noMoreThan(c: CaseContext, before: Readonly<Record<string, number>>): Promise<void> {
  let more: string[] = [];
  try {
    await c.until(() => {
      const after = handles();
      more = Object.keys(after)
        .filter((type) => after[type]! > (before[type] ?? 0))
        .map((type) => `${type} ${before[type] ?? 0} → ${after[type]}`);
      return more.length === 0;
    }, 'handles');
  } catch {
    check(false, `more than before: ${more.join(', ')}`);
  }
}

export const lifecycleCases: readonly ConformanceCase[] = [
  {
    id: 'lifecycle/close-twice',
    clause: 'lifecycle.1',
    title: 'closing twice, or ten times at once, has the effect of closing once',
    requires,
    async run(c) {
      const { desk, kitchen, inbox } = await pair(c);
      await c.within(Promise.all(numbers(10).map(() => kitchen.close())), 'ten closes');
      await c.within(kitchen.close(), 'another close');
      await c.within(Promise.all(numbers(10).map(() => inbox.subscription.close())), 'ten closes of the subscription');
      await c.within(Promise.all([desk.close(), desk.close({ drainMs: 0 })]), 'two closes');
    },
  },
  {
    id: 'lifecycle/close-subscription-twice',
    clause: 'lifecycle.1',
    title: 'closing a subscription repeatedly, and its broadcaster meanwhile',
    requires,
    async run(c) {
      const { kitchen, inbox } = await pair(c);
      const closing = [inbox.subscription.close(), kitchen.close(), inbox.subscription.close({ drainMs: 0 })].map(
        later,
      );
      await c.within(Promise.all(closing), 'closing');
      await c.within(inbox.subscription.close(), 'closing again');
      same(inbox.subscription.state, 'closed', 'state');
    },
  },
  {
    id: 'lifecycle/close-never-rejects',
    clause: 'lifecycle.1',
    title: 'close resolves even if handlers throw or never return',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const fails = await c.listen(kitchen, { retry: { maxAttempts: 100, baseMs: 1, maxMs: 1 } }, () => {
        throw new Error('always');
      });
      const hangs = await c.listen(kitchen, {}, () => new Promise(() => {}));
      await desk.publish({ type: 'order' });
      await fails.until(2);
      await hangs.until(1);
      await c.within(kitchen.close({ drainMs: 20 }), 'close');
    },
  },
  ...CALLS.map(
    ([name, call]): ConformanceCase => ({
      id: `lifecycle/closed-${name}`,
      clause: 'lifecycle.2',
      title: `after close, ${name.replaceAll('-', ' ')} is rejected`,
      requires,
      async run(c) {
        const { kitchen } = await pair(c);
        const closing = later(kitchen.close());
        await c.within(
          refused(() => call(kitchen), ['closed'], `${name} while closing`),
          name,
        );
        await closing;
        await c.within(
          refused(() => call(kitchen), ['closed'], `${name} after close`),
          name,
        );
      },
    }),
  ),
  {
    id: 'lifecycle/waits-for-handlers',
    clause: 'lifecycle.3',
    title: 'close waits for the running handler and delivers the held events',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      let finished = 0;
      const inbox = await c.listen(await c.join('kitchen'), {}, async () => {
        await gate.passed;
        finished++;
      });
      for (const n of numbers(5)) await desk.publish({ type: 'order', data: n });
      await c.until(
        () => inbox.subscription.pending === 5,
        () => `5 pending, ${inbox.subscription.pending} are`,
      );
      let closed = false;
      const closing = later(
        inbox.owner.close().then(() => {
          closed = true;
        }),
      );
      await c.quiet();
      check(!closed, 'close resolved while a handler ran');
      gate.open();
      await c.within(closing, 'close');
      same(finished, 5, 'handlers finished');
    },
  },
  {
    id: 'lifecycle/gives-up',
    clause: 'lifecycle.4',
    title: 'close gives up after drainMs and aborts the delivery',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const signals: AbortSignal[] = [];
      const inbox = await c.listen(await c.join('kitchen'), {}, (_, delivery) => {
        signals.push(delivery.abortSignal);
        return new Promise(() => {});
      });
      await desk.publish({ type: 'order', data: 0 });
      await desk.publish({ type: 'order', data: 1 });
      await inbox.until(1);
      await c.within(inbox.owner.close({ drainMs: 30 }), 'close with a handler that never returns');
      same([signals.length, signals[0]!.aborted, inbox.data], [1, true, [0]], 'signals, aborted, data');
    },
  },
  {
    id: 'lifecycle/gives-up-at-once',
    clause: 'lifecycle.4',
    title: 'a subscription closed without waiting aborts its delivery and delivers nothing more',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      let signal: AbortSignal | undefined;
      const inbox = await c.listen(await c.join('kitchen'), {}, (_, delivery) => {
        signal = delivery.abortSignal;
        return gate.passed;
      });
      for (const n of numbers(10)) await desk.publish({ type: 'order', data: n });
      await inbox.until(1);
      await c.within(inbox.subscription.close({ drainMs: 0 }), 'close');
      gate.open();
      await c.quiet();
      same([signal?.aborted, inbox.data], [true, [0]], 'aborted and data');
    },
  },
  {
    id: 'lifecycle/nothing-after-close',
    clause: 'lifecycle.5',
    title: 'no event is delivered after close resolved, even if events keep arriving',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const stays = await c.listen(await c.join('kitchen'), { bufferSize: 10_000 });
      let busy = true;
      let published = 0;
      const publishing = later(
        (async () => {
          while (busy) {
            await desk.publish({ type: 'order', data: published++ });
            // A transport in this process would never let anybody else run.
            if (published % 10 === 0) await pass(0);
          }
        })(),
      );
      for (let round = 0; round < 10; round++) {
        const kitchen = await c.join('kitchen');
        const inbox = await c.listen(kitchen);
        await inbox.until(1);
        await (round % 2 === 0 ? kitchen.close() : inbox.subscription.close());
        const { count } = inbox;
        await pass(3);
        same(inbox.count, count, `deliveries after close, round ${round}`);
      }
      busy = false;
      await c.within(publishing, 'publishing');
      await c.fence(desk, [stays]);
      same(stays.data, numbers(published), 'the one that stays');
    },
  },
  {
    id: 'lifecycle/publishes-under-way',
    clause: 'lifecycle.6',
    title: 'events published just before close are delivered',
    requires,
    async run(c) {
      const inbox = await c.listen(await c.join('kitchen'), { bufferSize: 5_000 });
      const desk = await c.join('desk');
      const publishing = numbers(500)
        .map((n) => desk.publish({ type: 'order', data: n }))
        .map(later);
      await c.within(desk.close(), 'close');
      const outcomes = await c.within(Promise.allSettled(publishing), 'the publishes');
      const taken = numbers(500).filter((n) => outcomes[n]!.status === 'fulfilled');
      same(taken.length, 500, 'publishes that resolved, all having been called before close');
      const last = await c.join('desk');
      await c.until(
        () => inbox.count >= taken.length,
        () => `${taken.length} delivered, ${inbox.count} are`,
      );
      await c.fence(last, [inbox]);
      same(inbox.data, taken, 'delivered');
    },
  },
  {
    id: 'lifecycle/unconfirmed-under-way',
    clause: 'lifecycle.6',
    title: 'unconfirmed publishes are sent before the connection ends',
    requires,
    async run(c) {
      const inbox = await c.listen(await c.join('kitchen'), { bufferSize: 5_000 });
      const desk = await c.join('desk');
      for (const n of numbers(100)) void later(desk.publish({ type: 'order', data: n }, { confirm: 'none' }));
      await c.within(desk.close(), 'close');
      await inbox.expect(numbers(100));
    },
  },
  {
    id: 'lifecycle/publish-while-closing',
    clause: 'lifecycle.6',
    title:
      'four publishers publish until they are closed: resolved publishes are delivered, the rest reject with `closed`',
    requires,
    async run(c) {
      const inbox = await c.listen(await c.join('kitchen'), { bufferSize: 20_000 });
      const resolved: string[] = [];
      const wrong: string[] = [];
      await Promise.all(
        numbers(4).map(async (at) => {
          const desk = await c.join('desk');
          const talking = later(
            (async () => {
              for (let n = 0; ; n++) {
                try {
                  await desk.publish({ type: 'order', data: `${at}.${n}` });
                  resolved.push(`${at}.${n}`);
                  if (n % 10 === 9) await pass(0);
                } catch (thrown) {
                  if ((thrown as { code?: string }).code !== 'closed') wrong.push(showError(thrown));
                  return;
                }
              }
            })(),
          );
          await pass(5 + at * 3);
          await desk.close();
          await c.within(talking, 'the publisher after close');
        }),
      );
      same(wrong, [], 'rejections other than closed');
      await c.until(
        () => inbox.count >= resolved.length,
        () => `${resolved.length} delivered, ${inbox.count} are`,
      );
      const got = new Set(inbox.data);
      same(
        resolved.filter((one) => !got.has(one)),
        [],
        'resolved but not delivered',
      );
      same(got.size, inbox.count, 'different events among those delivered');
    },
  },
  {
    id: 'lifecycle/handler-closes-subscription',
    clause: 'lifecycle.7',
    title: 'a handler closes its own subscription',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      let subscription: Subscription | undefined;
      const done = new Gate();
      subscription = await kitchen.subscribe(() => {
        void later(subscription!.close({ drainMs: 200 }).then(done.open));
      });
      await desk.publish({ type: 'order' });
      await c.within(done.passed, 'close from the handler');
      same(subscription.state, 'closed', 'state');
    },
  },
  {
    id: 'lifecycle/handler-awaits-its-close',
    clause: 'lifecycle.7',
    title: 'a handler that awaits the close of its own broadcaster does not deadlock',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const done = new Gate();
      await kitchen.subscribe(async () => {
        await kitchen.close({ drainMs: 50 });
        done.open();
      });
      await desk.publish({ type: 'order' });
      await c.within(done.passed, 'close awaited in the handler');
    },
  },
  {
    id: 'lifecycle/ends-iteration',
    clause: 'lifecycle.8',
    title: 'loops end when the subscription or the broadcaster closes',
    requires,
    async run(c) {
      const kitchen = await c.join('kitchen');
      const one = await kitchen.subscribe();
      const two = await kitchen.subscribe();
      const read = async (subscription: Subscription) => {
        let count = 0;
        for await (const _ of subscription) count++;
        return count;
      };
      const reading = [read(one), read(two)].map(later);
      await one.close();
      same(await c.within(reading[0]!, 'the loop over the closed subscription'), 0, 'deliveries');
      await kitchen.close();
      same(await c.within(reading[1]!, 'the loop over the closed broadcaster'), 0, 'deliveries');
      same(await c.within(read(two), 'a loop begun after close'), 0, 'deliveries');
    },
  },
  {
    id: 'lifecycle/leaves-others-alone',
    clause: 'lifecycle.9',
    title: 'one of three instances of a role closes: the others keep receiving at every address',
    requires: { capabilities: ['everyone', 'role', 'instance'] },
    async run(c) {
      const desk = await c.join('desk');
      const inboxes = [];
      for (const n of numbers(3)) inboxes.push(await c.listen(await c.join(`kitchen/k${n}`)));
      await inboxes[1]!.owner.close();
      await desk.publish({ type: 'order', data: 'all' });
      await desk.publish({ type: 'order', data: 'role' }, { to: 'role:kitchen' });
      await desk.publish({ type: 'order', data: 'gone' }, { to: 'instance:k1' });
      await desk.publish({ type: 'order', data: 'k2' }, { to: 'instance:k2' });
      await c.fence(desk, [inboxes[0]!, inboxes[2]!], { to: ['role:kitchen', 'instance:k2'] });
      sameSet(inboxes[0]!.data, ['all', 'role'], 'k0');
      same(inboxes[1]!.data, [], 'k1');
      sameSet(inboxes[2]!.data, ['all', 'role', 'k2'], 'k2');
    },
  },
  {
    id: 'lifecycle/one-object',
    clause: 'lifecycle.19',
    title: 'several topics over one transport object are independent while they close and reopen',
    requires,
    async run(c) {
      const transport = c.transport();
      const all = await crowdOver(c, transport, 4);
      await all[0]!.owner.close();
      const others = all.slice(1);
      await Promise.all(others.map(({ desk }) => desk.publish({ type: 'order', data: 'after one has ended' })));
      for (const { topic, inbox } of others) {
        await inbox.until(2);
        same(inbox.data, [topic, 'after one has ended'], topic);
        same(inbox.signals, [], `signals on ${topic}`);
      }
      await Promise.all(others.map(({ owner }) => owner.close()));
      const [again] = await crowdOver(c, transport, 1);
      same(again!.inbox.data, [again!.topic], 'once all had ended');
    },
  },
  {
    id: 'lifecycle/one-object-cut',
    clause: 'lifecycle.19',
    title: 'several topics over one transport object all recover from a lost connection',
    requires,
    needs: ['cut'],
    timeoutMs: 40_000,
    async run(c) {
      const all = await crowdOver(c, c.transport(), 3);
      await c.faults.cut();
      for (const { desk, inbox } of all) await c.recovered(desk, [inbox]);
      await all[0]!.owner.close();
      for (const { desk, inbox } of all.slice(1)) {
        inbox.received.length = 0;
        await desk.publish({ type: 'order', data: 'after the cut' });
        await c.fence(desk, [inbox]);
        same(inbox.data, ['after the cut'], 'after the cut');
      }
    },
  },
  {
    id: 'lifecycle/residue',
    clause: 'lifecycle.10',
    title: 'after all participants closed, nothing of their subscriptions remains on the service',
    requires,
    needs: ['residue'],
    async run(c) {
      const broadcasters: Broadcaster[] = [];
      const grouped = c.manifest.capabilities.groups.level !== 'none';
      for (const n of numbers(3)) {
        const one = await c.join(`kitchen/k${n}`);
        broadcasters.push(one);
        await c.listen(one);
        await c.listen(one);
        if (grouped) await c.listen(one, { group: 'g' });
      }
      const desk = await c.join('desk');
      const inbox = await c.listen(desk, {}, () => {
        throw new Error('leaves something unsettled');
      });
      await broadcasters[0]!.publish({ type: 'order' });
      await inbox.until(1);
      check((await c.faults.residue(c.topic)).length > 0, 'the harness sees nothing even while they are open');
      for (const one of [...broadcasters, desk]) await c.within(one.close({ drainMs: 20 }), 'close');
      let left: readonly string[] = [];
      const deadline = performance.now() + c.patienceMs;
      do {
        left = await c.faults.residue(c.topic);
      } while (left.length > 0 && performance.now() < deadline);
      same(left, [], 'what the service still holds');
    },
  },
  {
    id: 'lifecycle/handles',
    clause: 'lifecycle.11',
    title: 'after twenty broadcasters opened and closed, no handle or timer keeps the process alive',
    requires,
    needs: ['handles'],
    async run(c) {
      const session = async () => {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen'));
        await desk.publish({ type: 'order' });
        await inbox.until(1);
        await desk.close();
        await inbox.owner.close();
      };
      await session();
      await c.quiet();
      const before = handles();
      for (let n = 0; n < 10; n++) await session();
      await noMoreThan(c, before);
    },
  },
  {
    id: 'lifecycle/aborted-connect',
    clause: 'lifecycle.20',
    title:
      'three connects are aborted while the service does not respond: no handle or timer is left, and later connects work',
    requires,
    needs: ['freeze', 'handles'],
    async run(c) {
      const { desk, kitchen } = await pair(c);
      await Promise.all([desk.close(), kitchen.close()]);
      await c.quiet();
      const before = handles();
      await c.faults.freeze();
      const abort = new AbortController();
      const transport = c.transport();
      const connecting = [c.transport(), transport, transport].map((over) =>
        later(c.join('desk', { transport: over, abortSignal: abort.signal })),
      );
      // What opening needs is under way, and waits for an answer.
      await c.quiet();
      abort.abort();
      for (const each of connecting) await refused(() => each, ['aborted'], 'connect');
      await noMoreThan(c, before);
      await c.faults.thaw();
      await pair(c);
    },
  },
  {
    id: 'lifecycle/await-using',
    clause: 'lifecycle.12',
    title: 'disposing closes',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const subscription = await kitchen.subscribe(() => {});
      await subscription[Symbol.asyncDispose]();
      same(subscription.state, 'closed', 'the subscription');
      await kitchen[Symbol.asyncDispose]();
      await refused(() => kitchen.publish({ type: 'order' }), ['closed'], 'publish');
      await c.within(desk.publish({ type: 'order' }), 'publish of another');
    },
  },
  {
    id: 'lifecycle/over-and-over',
    clause: 'lifecycle.13',
    title: 'thirty connections one after another, and ten at once',
    requires,
    async run(c) {
      const inbox = await c.listen(await c.join('kitchen'));
      for (const n of numbers(30)) {
        const desk = await c.join('desk/d1');
        await desk.publish({ type: 'order', data: n });
        await desk.close();
      }
      await Promise.all(
        numbers(10).map(async (n) => {
          const desk = await c.join(`desk/e${n}`);
          await desk.publish({ type: 'order', data: 30 + n });
          await desk.close();
        }),
      );
      await inbox.expectSet(numbers(40));
    },
  },
  {
    id: 'lifecycle/nothing-but-close',
    clause: 'lifecycle.13',
    title: 'connecting and closing without anything in between',
    requires,
    async run(c) {
      for (const _ of numbers(5)) await c.within((await c.join('desk/d1')).close(), 'close');
    },
  },
  {
    id: 'lifecycle/subscribe-while-closing',
    clause: 'lifecycle.14',
    title: 'subscribing while the broadcaster closes leaves no open subscription',
    requires,
    async run(c) {
      for (const round of numbers(10)) {
        const kitchen = await c.join('kitchen');
        const subscribing = kitchen
          .subscribe(() => {})
          .then(
            (subscription) => subscription,
            (thrown: unknown) => (thrown as { code?: string }).code,
          );
        if (round % 2 === 1) await pass(0);
        await c.within(kitchen.close(), 'close');
        const outcome = await c.within(subscribing, 'subscribe');
        const ended = typeof outcome === 'object' ? outcome.state : outcome;
        same(ended, 'closed', `round ${round}`);
      }
    },
  },
  {
    id: 'lifecycle/close-while-connecting-others',
    clause: 'lifecycle.13',
    title: 'ten broadcasters open and subscribe while ten close',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const old = await Promise.all(numbers(10).map(async (n) => c.listen(await c.join(`old/o${n}`))));
      const [fresh] = await Promise.all([
        Promise.all(numbers(10).map(async (n) => c.listen(await c.join(`new/n${n}`)))),
        Promise.all(old.map(({ owner }) => owner.close())),
      ]);
      await desk.publish({ type: 'order', data: 1 });
      await c.fence(desk, fresh);
      for (const inbox of fresh) same(inbox.data, [1], 'a fresh one');
      for (const inbox of old) same(inbox.data, [], 'a closed one');
    },
  },
  {
    id: 'lifecycle/source-stops',
    clause: 'lifecycle.15',
    title: 'below core: nothing is delivered after stop, and stop and close are idempotent',
    requires,
    async run(c) {
      const desk = await c.joinBelow('desk');
      const kitchen = await c.joinBelow('kitchen');
      const inbox = await kitchen.subscribe();
      const stays = await kitchen.subscribe();
      await desk.publish([0]);
      await inbox.until(1);
      for (const { lease } of inbox.deliveries) await lease?.settle({ kind: 'accept' });
      const publishing = later(desk.publish(numbers(100), { maxBatch: 1 }));
      await c.within(inbox.source!.stop(), 'stop');
      const { length } = inbox.deliveries;
      await c.within(inbox.source!.stop(), 'stop again');
      await publishing;
      await stays.until(101);
      await c.quiet();
      same(inbox.deliveries.length, length, 'deliveries after stop');
      await c.within(Promise.all([inbox.source!.close(), inbox.source!.close()]), 'close twice');
      await c.within(inbox.source!.close(), 'close again');
    },
  },
  {
    id: 'lifecycle/nothing-uncaught',
    clause: 'lifecycle.16',
    title: 'publishing, a failing handler and closing raise no uncaught errors',
    requires,
    async run(c) {
      const { desk, kitchen, inbox } = await pair(c);
      const fails = await c.listen(kitchen, { retry: { maxAttempts: 2, baseMs: 1, maxMs: 1 } }, () => {
        throw new Error('the handler fails');
      });
      for (const n of numbers(5)) await desk.publish({ type: 'order', data: n + 1 });
      await inbox.expect(numbers(6));
      await fails.until(5);
      await c.within(Promise.all([kitchen.close({ drainMs: 50 }), desk.close()]), 'close');
      // The runner fails a case for what was thrown meanwhile, and this leaves the time for it.
      await pass(c.quietMs);
    },
  },
  {
    id: 'lifecycle/link-closes',
    clause: 'lifecycle.15',
    title: 'below core: closing a link twice works',
    requires,
    async run(c) {
      const kitchen = await c.joinBelow('kitchen');
      await kitchen.subscribe();
      await kitchen.close();
      await c.within(kitchen.link.close(), 'close again');
    },
  },
  {
    id: 'lifecycle/handler-awaits-its-subscription',
    clause: 'lifecycle.17',
    title: 'a handler awaits the close of its own subscription, and its delivery is accepted',
    requires: { capabilities: ['everyone', 'settlement', 'durable'] },
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join({ role: 'kitchen', instance: 'k1' });
      const done = new Gate();
      const inbox = await c.listen(kitchen, { durable: true }, async () => {
        await null;
        await inbox.subscription.close();
        done.open();
      });
      await desk.publish({ type: 'order', data: 1 });
      await c.within(done.passed, 'close awaited in the handler');
      await c.until(() => inbox.subscription.state === 'closed', 'the subscription is closed');
      await kitchen.close();
      const again = await c.listen(await c.join({ role: 'kitchen', instance: 'k1' }), { durable: true });
      await desk.publish({ type: 'order', data: 2 });
      await again.until(1);
      same(again.data, [2], 'what comes after it');
    },
  },
  {
    id: 'lifecycle/no-listener-stays',
    clause: 'lifecycle.18',
    title: 'closing removes the listener from the signal',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const kitchen = await c.join('kitchen');
      const watched = new WatchedSignal();
      const subscription = await kitchen.subscribe(() => {}, { abortSignal: watched.signal });
      same(watched.listeners, 1, 'listeners while it is open');
      await subscription.close();
      same(watched.listeners, 0, 'listeners left');
    },
  },
];
