import type { FilterInput, Handler, SubscribeOptions } from '@polycast/core';
import { check, refused, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import { Gate, later, pass } from '../wait.ts';

const requires = { capabilities: ['everyone'] } as const;

const NOT_OPTIONS: readonly (readonly [string, unknown])[] = [
  ['zero-concurrency', { concurrency: 0 }],
  ['fractional-concurrency', { concurrency: 1.5 }],
  ['negative-buffer', { bufferSize: -1 }],
  ['zero-attempts', { retry: { maxAttempts: 0 } }],
  ['negative-base', { retry: { baseMs: -1 } }],
  ['negative-lock', { lockMs: -1 }],
  ['unknown-dead-letter', { deadLetter: 'somewhere' }],
  ['unknown-start', { from: 'middle' }],
];

const FILTERS: readonly {
  name: string;
  filter: FilterInput;
  events: readonly Record<string, string | number | boolean>[];
  fits: readonly number[];
}[] = [
  { name: 'type', filter: { exact: { type: 'a' } }, events: [{ type: 'a' }, { type: 'b' }, { type: 'A' }], fits: [0] },
  {
    name: 'extension',
    filter: { exact: { region: 'west' } },
    events: [{ type: 'a', region: 'west' }, { type: 'a', region: 'east' }, { type: 'a' }],
    fits: [0],
  },
  {
    name: 'number',
    filter: { exact: { table: 7 } },
    events: [
      { type: 'a', table: 7 },
      { type: 'a', table: 70 },
      { type: 'a', table: -7 },
    ],
    fits: [0],
  },
  {
    name: 'boolean',
    filter: { exact: { urgent: true } },
    events: [{ type: 'a', urgent: true }, { type: 'a', urgent: false }, { type: 'a' }],
    fits: [0],
  },
  {
    name: 'several',
    filter: { exact: { type: 'a', region: 'west', table: 1 } },
    events: [
      { type: 'a', region: 'west', table: 1 },
      { type: 'b', region: 'west', table: 1 },
      { type: 'a', region: 'east', table: 1 },
      { type: 'a', region: 'west', table: 2 },
    ],
    fits: [0],
  },
  {
    name: 'subject-unicode',
    filter: { exact: { subject: 'Tisch „7“ 🍜' } },
    events: [
      { type: 'a', subject: 'Tisch „7“ 🍜' },
      { type: 'a', subject: 'Tisch "7" 🍜' },
    ],
    fits: [0],
  },
  { name: 'nothing-fits', filter: { exact: { type: 'never' } }, events: [{ type: 'a' }, { type: 'b' }], fits: [] },
];

export const subscribeCases: readonly ConformanceCase[] = [
  {
    id: 'subscribe/at-once',
    clause: 'subscribe.1',
    title: 'an event published right after subscribing arrives, twenty times in a row',
    requires,
    // Twenty participants one after the other, beside all other cases: a busy machine takes long.
    timeoutMs: 120_000,
    async run(c) {
      const desk = await c.join('desk');
      for (let round = 0; round < 20; round++) {
        const kitchen = await c.join('kitchen');
        const inbox = await c.listen(kitchen);
        await desk.publish({ type: 'order', data: round });
        await inbox.expect([round]);
        await kitchen.close();
      }
    },
  },
  {
    id: 'subscribe/at-once-by-address',
    clause: 'subscribe.1',
    title: 'every address receives as soon as subscribe resolves',
    requires: { capabilities: ['everyone', 'role', 'instance'] },
    async run(c) {
      const desk = await c.join('desk');
      for (let round = 0; round < 8; round++) {
        const inbox = await c.listen(await c.join(`kitchen-${round}/k-${round}`));
        await desk.publish({ type: 'order', data: 1 }, { to: `instance:k-${round}` });
        await desk.publish({ type: 'order', data: 2 }, { to: `role:kitchen-${round}` });
        await desk.publish({ type: 'order', data: 3 });
        await inbox.until(3);
        check(
          [1, 2, 3].every((n) => inbox.data.includes(n)),
          `round ${round}: got ${inbox.data.join()}`,
        );
      }
    },
  },
  {
    id: 'subscribe/nothing-old',
    clause: 'subscribe.2',
    title: 'events published before are not delivered',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const early = await c.listen(await c.join('kitchen'));
      for (let n = 0; n < 10; n++) await desk.publish({ type: 'order', data: `old ${n}` });
      await early.until(10);
      const late = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'order', data: 'new' });
      await c.fence(desk, [early, late]);
      same(late.data, ['new'], 'what the late one got');
    },
  },
  {
    id: 'subscribe/second-subscription-nothing-old',
    clause: 'subscribe.2',
    title: 'a second subscription of one broadcaster also starts with new events',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const early = await c.listen(kitchen);
      await desk.publish({ type: 'order', data: 'old' });
      await early.until(1);
      const late = await c.listen(kitchen);
      await desk.publish({ type: 'order', data: 'new' });
      await c.fence(desk, [early, late]);
      same([early.data, late.data], [['old', 'new'], ['new']], 'early and late');
    },
  },
  {
    id: 'subscribe/several-in-one',
    clause: 'subscribe.3',
    title: 'three subscriptions of one broadcaster each get everything',
    requires: { capabilities: ['everyone', 'fanOut'] },
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const inboxes = [await c.listen(kitchen), await c.listen(kitchen), await c.listen(kitchen)];
      for (let n = 0; n < 20; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, inboxes);
      for (const inbox of inboxes)
        same(
          inbox.data,
          Array.from({ length: 20 }, (_, n) => n),
          'each',
        );
    },
  },
  {
    id: 'subscribe/hundred-in-one',
    clause: 'subscribe.4',
    title: 'a hundred subscriptions of one broadcaster',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const inboxes = await Promise.all(Array.from({ length: 100 }, () => c.listen(kitchen)));
      for (let n = 0; n < 10; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, inboxes);
      for (const inbox of inboxes)
        same(
          inbox.data,
          Array.from({ length: 10 }, (_, n) => n),
          'each',
        );
    },
  },
  {
    id: 'subscribe/twenty-subscribers',
    clause: 'subscribe.4',
    title: 'twenty subscribers each get everything',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inboxes = await Promise.all(
        Array.from({ length: 20 }, async (_, n) => c.listen(await c.join(`kitchen/k-${n}`))),
      );
      await Promise.all(Array.from({ length: 50 }, (_, n) => desk.publish({ type: 'order', data: n })));
      await c.fence(desk, inboxes);
      for (const inbox of inboxes)
        sameSet(
          inbox.data,
          Array.from({ length: 50 }, (_, n) => n),
          'each',
        );
    },
  },
  {
    id: 'subscribe/many-to-many',
    clause: 'subscribe.4',
    title: 'ten publishers, ten subscribers, and all of them as both',
    requires,
    async run(c) {
      const all = await Promise.all(Array.from({ length: 10 }, (_, n) => c.join(`peer/p-${n}`)));
      const inboxes = await Promise.all(all.map((one) => c.listen(one)));
      await Promise.all(
        all.map(async (one, at) => {
          for (let n = 0; n < 10; n++) await one.publish({ type: 'hello', data: `${at}.${n}` });
        }),
      );
      for (const one of all) await c.fence(one, inboxes);
      inboxes.forEach((inbox, own) => {
        const others = all.flatMap((_, at) => (at === own ? [] : Array.from({ length: 10 }, (_, n) => `${at}.${n}`)));
        sameSet(inbox.data, others, `peer ${own}`);
      });
    },
  },
  {
    id: 'subscribe/close-one-of-two',
    clause: 'subscribe.5',
    title: 'closing one subscription does not affect the other',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const goes = await c.listen(kitchen);
      const stays = await c.listen(kitchen);
      await desk.publish({ type: 'order', data: 1 });
      await goes.until(1);
      await goes.subscription.close();
      await desk.publish({ type: 'order', data: 2 });
      await c.fence(desk, [stays]);
      same([goes.data, stays.data], [[1], [1, 2]], 'closed and open');
    },
  },
  {
    id: 'subscribe/iterate',
    clause: 'subscribe.6',
    title: 'deliveries are read in order with for await',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const subscription = await (await c.join('kitchen')).subscribe();
      for (let n = 0; n < 30; n++) await desk.publish({ type: 'order', data: n });
      const data: unknown[] = [];
      const reading = later(
        (async () => {
          for await (const { event } of subscription) {
            data.push(event.data);
            if (data.length === 30) break;
          }
        })(),
      );
      await c.within(reading, 'reading thirty deliveries');
      same(
        data,
        Array.from({ length: 30 }, (_, n) => n),
        'data',
      );
    },
  },
  {
    id: 'subscribe/iterate-accepts',
    clause: 'subscribe.6',
    title: 'requesting the next delivery accepts the previous one',
    requires: { capabilities: ['everyone', 'settlement'] },
    async run(c) {
      const desk = await c.join('desk');
      const subscription = await (await c.join('kitchen')).subscribe({ retry: { baseMs: 1, maxMs: 1 } });
      for (let n = 0; n < 3; n++) await desk.publish({ type: 'order', data: n });
      const iterator = subscription[Symbol.asyncIterator]();
      const seen: string[] = [];
      for (let n = 0; n < 3; n++) {
        const next = await c.within(iterator.next(), `delivery ${n}`);
        check(!next.done, 'the iteration ended early');
        seen.push(`${String(next.value.event.data)}@${next.value.attempt}`);
      }
      await desk.publish({ type: 'order', data: 'last' });
      const last = await c.within(iterator.next(), 'the last delivery');
      check(!last.done, 'the iteration ended early');
      seen.push(`${String(last.value.event.data)}@${last.value.attempt}`);
      last.value.accept();
      same(seen, ['0@1', '1@1', '2@1', 'last@1'], 'data and attempts');
    },
  },
  {
    id: 'subscribe/leave-the-loop',
    clause: 'subscribe.7',
    title: 'leaving the loop passes the current delivery to another member, unless it was settled',
    requires: { capabilities: ['everyone', 'groups', 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      const options = { group: 'g', retry: { baseMs: 1, maxMs: 1 } };
      const read = async (settles: boolean, gate: Gate) => {
        const subscription = await (await c.join('worker')).subscribe(options);
        await desk.publish({ type: 'job', data: settles ? 'settled' : 'released' });
        const reached = new Gate();
        const reading = later(
          (async () => {
            for await (const delivery of subscription) {
              if (settles) delivery.accept();
              reached.open();
              await gate.passed;
              break;
            }
            await subscription.close();
          })(),
        );
        await c.within(reached.passed, 'the first delivery');
        return { reading };
      };
      for (const settles of [false, true]) {
        const gate = new Gate();
        const { reading } = await read(settles, gate);
        const other = await c.listen(await c.join('worker'), options);
        gate.open();
        await c.within(reading, 'leaving the loop');
        if (!settles) await other.until(1);
        await desk.publish({ type: 'job', data: 'new' });
        await c.fence(desk, [other], { group: true });
        const seen = other.received.map(({ event, attempt }) => `${String(event.data)}@${attempt}`);
        sameSet(seen, settles ? ['new@1'] : ['released@2', 'new@1'], 'what the other member got');
        await other.owner.close();
      }
    },
  },
  ...FILTERS.map(
    ({ name, filter, events, fits }): ConformanceCase => ({
      id: `subscribe/filter-${name}`,
      clause: 'subscribe.8',
      title: `only matching events are delivered: ${name}`,
      requires,
      async run(c) {
        const desk = await c.join('desk');
        const kitchen = await c.join('kitchen');
        const filtered = await c.listen(kitchen, { filter });
        const all = await c.listen(kitchen);
        for (const [at, event] of events.entries()) await desk.publish({ type: 'x', ...event, data: at });
        await c.fence(desk, [all]);
        await c.quiet();
        same(
          all.data,
          events.map((_, at) => at),
          'without a filter',
        );
        await filtered.until(fits.length);
        same(filtered.data, fits, 'with the filter');
      },
    }),
  ),
  {
    id: 'subscribe/filter-refused',
    clause: 'subscribe.9',
    title: 'an invalid filter is rejected with `invalid-filter`',
    requires,
    async run(c) {
      const kitchen = await c.join('kitchen');
      for (const bad of [
        7,
        'type =',
        {},
        { exact: 7 },
        { exact: { Type: 'a' } },
        { exact: { type: {} } },
        { nothing: { type: 'a' } },
      ]) {
        await refused(
          () => kitchen.subscribe(() => {}, { filter: bad as unknown as FilterInput }),
          ['invalid-filter'],
          `filter ${JSON.stringify(bad)}`,
        );
      }
    },
  },
  {
    id: 'subscribe/handler-no-function',
    clause: 'subscribe.9',
    title: 'a handler that is not a function is rejected with a TypeError',
    requires,
    async run(c) {
      const kitchen = await c.join('kitchen');
      for (const bad of ['text', 7, true]) {
        await refused(() => kitchen.subscribe(bad as unknown as Handler), ['TypeError'], `handler ${bad}`);
      }
      const swapped = [{}, () => {}] as unknown as [Handler, SubscribeOptions];
      await refused(() => kitchen.subscribe(...swapped), ['TypeError'], 'options before the handler');
    },
  },
  ...NOT_OPTIONS.map(
    ([name, options]): ConformanceCase => ({
      id: `subscribe/refuses-option-${name}`,
      clause: 'subscribe.9',
      title: `invalid options are rejected: ${name}`,
      requires,
      async run(c) {
        const kitchen = await c.join('kitchen');
        await refused(
          () => kitchen.subscribe(() => {}, options as SubscribeOptions),
          ['invalid-configuration', 'TypeError'],
          'subscribe',
        );
      },
    }),
  ),
  {
    id: 'subscribe/aborted-before',
    clause: 'subscribe.10',
    title: 'an aborted signal rejects the subscription',
    requires,
    async run(c) {
      const kitchen = await c.join('kitchen');
      await refused(() => kitchen.subscribe(() => {}, { abortSignal: AbortSignal.abort() }), ['aborted'], 'subscribe');
    },
  },
  {
    id: 'subscribe/aborted-later',
    clause: 'subscribe.10',
    title: 'aborting closes only its own subscription',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const control = new AbortController();
      const ends = await c.listen(kitchen, { abortSignal: control.signal });
      const stays = await c.listen(kitchen);
      await desk.publish({ type: 'order', data: 1 });
      await ends.until(1);
      control.abort();
      await c.until(() => ends.subscription.state === 'closed', 'the subscription did not close');
      await desk.publish({ type: 'order', data: 2 });
      await c.fence(desk, [stays]);
      same([ends.data, stays.data], [[1], [1, 2]], 'aborted and open');
    },
  },
  {
    id: 'subscribe/one-at-a-time',
    clause: 'subscribe.11',
    title: 'with concurrency 1 handlers never overlap and run in order',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      let running = 0;
      let most = 0;
      const inbox = await c.listen(await c.join('kitchen'), {}, async () => {
        most = Math.max(most, ++running);
        await pass(0);
        running--;
      });
      await Promise.all(Array.from({ length: 40 }, (_, n) => desk.publish({ type: 'order', data: n })));
      await inbox.expect(Array.from({ length: 40 }, (_, n) => n));
      same(most, 1, 'handlers at once');
    },
  },
  {
    id: 'subscribe/five-at-a-time',
    clause: 'subscribe.12',
    title: 'with concurrency 5 exactly five run at once',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      let running = 0;
      let most = 0;
      const inbox = await c.listen(await c.join('kitchen'), { concurrency: 5 }, async () => {
        most = Math.max(most, ++running);
        await gate.passed;
        running--;
      });
      for (let n = 0; n < 12; n++) await desk.publish({ type: 'order', data: n });
      await c.until(
        () => running === 5,
        () => `five handlers should run at once, ${running} do`,
      );
      await c.quiet();
      gate.open();
      await inbox.expectSet(Array.from({ length: 12 }, (_, n) => n));
      same(most, 5, 'most handlers at once');
    },
  },
  {
    id: 'subscribe/pause-resume',
    clause: 'subscribe.13',
    title: 'a pause holds events back, and resume delivers them in order',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const paused = await c.listen(kitchen);
      const other = await c.listen(kitchen);
      await desk.publish({ type: 'order', data: 0 });
      await paused.until(1);
      paused.subscription.pause();
      same(paused.subscription.state, 'paused', 'state');
      for (let n = 1; n <= 20; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [other]);
      same(paused.data, [0], 'while paused');
      paused.subscription.resume();
      same(paused.subscription.state, 'open', 'state');
      await c.until(() => paused.fences.size > 0, 'the marker did not come after resume');
      same(
        paused.data,
        Array.from({ length: 21 }, (_, n) => n),
        'after resume',
      );
    },
  },
  {
    id: 'subscribe/drain',
    clause: 'subscribe.14',
    title: 'drain waits for handlers and for held events',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      let finished = 0;
      const inbox = await c.listen(await c.join('kitchen'), {}, async () => {
        await gate.passed;
        finished++;
      });
      await c.within(inbox.subscription.drain(), 'drain of an idle subscription');
      for (let n = 0; n < 5; n++) await desk.publish({ type: 'order', data: n });
      await c.until(
        () => inbox.subscription.pending === 5,
        () => `5 should be pending, ${inbox.subscription.pending} are`,
      );
      let drained = false;
      const draining = later(
        inbox.subscription.drain().then(() => {
          drained = true;
        }),
      );
      await c.quiet();
      check(!drained, 'drain resolved while a handler ran');
      gate.open();
      await c.within(draining, 'drain');
      same([finished, inbox.subscription.pending], [5, 0], 'finished and pending after drain');
    },
  },
  {
    id: 'subscribe/slow-one-holds-up-nobody',
    clause: 'subscribe.15',
    title: 'a blocked handler does not hold up another subscription',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const gate = new Gate();
      const slow = await c.listen(kitchen, {}, () => gate.passed);
      const quick = await c.listen(kitchen);
      for (let n = 0; n < 20; n++) await desk.publish({ type: 'order', data: n });
      await quick.expect(Array.from({ length: 20 }, (_, n) => n));
      same(slow.data, [0], 'the slow one meanwhile');
      gate.open();
      await slow.expect(Array.from({ length: 20 }, (_, n) => n));
    },
  },
  {
    id: 'subscribe/failing-one-holds-up-nobody',
    clause: 'subscribe.15',
    title: 'a handler that throws does not hold up another subscription',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      await c.listen(kitchen, { retry: { maxAttempts: 1 }, deadLetter: 'drop' }, () => {
        throw new Error('always');
      });
      const fine = await c.listen(kitchen);
      for (let n = 0; n < 20; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [fine]);
      same(
        fine.data,
        Array.from({ length: 20 }, (_, n) => n),
        'the other one',
      );
    },
  },
  {
    id: 'subscribe/state',
    clause: 'subscribe.16',
    title: 'state goes from open to paused, open, closing and closed',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const inbox = await c.listen(await c.join('kitchen'), {}, () => gate.passed);
      const { subscription } = inbox;
      same([subscription.state, subscription.pending], ['open', 0], 'at first');
      await desk.publish({ type: 'order' });
      await inbox.until(1);
      same(subscription.pending, 1, 'pending while handling');
      subscription.pause();
      subscription.pause();
      same(subscription.state, 'paused', 'paused');
      subscription.resume();
      subscription.resume();
      same(subscription.state, 'open', 'resumed');
      const closing = later(subscription.close());
      same(subscription.state, 'closing', 'closing');
      gate.open();
      await c.within(closing, 'close');
      same([subscription.state, subscription.pending], ['closed', 0], 'closed');
      subscription.pause();
      subscription.resume();
      same(subscription.state, 'closed', 'closed for good');
    },
  },
  {
    id: 'subscribe/churn',
    clause: 'subscribe.17',
    title: 'after repeated subscribing and closing, each event is delivered once',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      for (let round = 0; round < 25; round++) {
        const inbox = await c.listen(kitchen);
        await inbox.subscription.close();
      }
      const last = await c.listen(kitchen);
      for (let n = 0; n < 10; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [last]);
      same(
        last.data,
        Array.from({ length: 10 }, (_, n) => n),
        'the one left',
      );
    },
  },
  {
    id: 'subscribe/churn-under-load',
    clause: 'subscribe.17',
    title: 'subscribing and closing while events flow affects no other subscription',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const stays = await c.listen(kitchen, { bufferSize: 5_000 });
      let busy = true;
      const churning = later(
        (async () => {
          while (busy) {
            const inbox = await c.listen(kitchen);
            await inbox.subscription.close();
            await pass(0);
          }
        })(),
      );
      for (let n = 0; n < 300; n++) {
        await desk.publish({ type: 'order', data: n });
        if (n % 10 === 9) await pass(0);
      }
      busy = false;
      await c.within(churning, 'churning');
      await c.fence(desk, [stays]);
      same(
        stays.data,
        Array.from({ length: 300 }, (_, n) => n),
        'the one that stays',
      );
    },
  },
  {
    id: 'subscribe/publish-from-handler',
    clause: 'subscribe.18',
    title: 'a handler publishes, and awaits it',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const answers = await c.listen(desk, { filter: { exact: { type: 'done' } } });
      const kitchen = await c.join('kitchen');
      await c.listen(kitchen, { filter: { exact: { type: 'order' } } }, (event) =>
        kitchen.publish({ type: 'done', data: event.data }),
      );
      for (let n = 0; n < 20; n++) await desk.publish({ type: 'order', data: n });
      await answers.expect(Array.from({ length: 20 }, (_, n) => n));
    },
  },
  {
    id: 'subscribe/subscribe-from-handler',
    clause: 'subscribe.18',
    title: 'a handler subscribes, and closes what it subscribed',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const inner: unknown[] = [];
      const outer = await c.listen(kitchen, {}, async (event) => {
        if (event.data !== 'go') return;
        const subscription = await kitchen.subscribe((one) => inner.push(one.data));
        await desk.publish({ type: 'order', data: 'inner' });
        await c.until(() => inner.length > 0, 'the inner subscription got nothing');
        await subscription.close();
      });
      await desk.publish({ type: 'order', data: 'go' });
      await outer.until(2);
      await desk.publish({ type: 'order', data: 'after' });
      await outer.until(3);
      same([outer.data, inner], [['go', 'inner', 'after'], ['inner']], 'outer and inner');
    },
  },
];
