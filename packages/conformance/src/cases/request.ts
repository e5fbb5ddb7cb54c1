import type { Broadcaster, Reply } from '@polycast/core';
import { check, refused, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import { Gate, later, takenOrHeldUp } from '../wait.ts';

const requires = { capabilities: ['everyone', 'request'] } as const;

/** A participant that answers every question with `answer`. */
async function answering(c: CaseContext, self: string, answer: (data: unknown) => unknown): Promise<Broadcaster> {
  const one = await c.join(self);
  await c.listen(one, { filter: { exact: { type: 'question' } } }, (event, delivery) =>
    delivery.reply(answer(event.data)),
  );
  return one;
}

const data = (replies: readonly Reply[]) => replies.map((reply) => reply.data);

export const requestCases: readonly ConformanceCase[] = [
  {
    id: 'request/one',
    clause: 'request.1',
    title: 'a reply carries data and the participant that replied',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      await answering(c, 'kitchen/k1', (question) => ({ re: question }));
      const replies = await c.within(
        desk.request({ type: 'question', data: { a: 1 } }, { maxReplies: 1, timeoutMs: c.patienceMs }),
        'the reply',
      );
      same(data(replies), [{ re: { a: 1 } }], 'data');
      same([replies[0]!.from.role, replies[0]!.from.instance], ['kitchen', 'k1'], 'from');
    },
  },
  {
    id: 'request/payloads',
    clause: 'request.1',
    title: 'replies can carry no data, strings, objects and bytes',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      await answering(c, 'kitchen', (question) => question);
      const bytes = c.manifest.capabilities.binary.level === 'none' ? [] : [new Uint8Array([0, 1, 255])];
      for (const value of [null, '', 'ü 🍜', { a: [1] }, 0, false, ...bytes]) {
        const replies = await c.within(
          desk.request({ type: 'question', data: value }, { maxReplies: 1, timeoutMs: c.patienceMs }),
          'the reply',
        );
        same(data(replies), [value], 'data');
      }
    },
  },
  {
    id: 'request/subscription-closes',
    clause: 'request.1',
    title: 'a reply arrives even if the requester’s subscription has closed',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const own = await c.listen(desk);
      const gate = new Gate();
      const asked = await c.listen(await c.join('kitchen'), {}, async (_event, delivery) => {
        await gate.passed;
        await delivery.reply('late');
      });
      const replies = later(desk.request({ type: 'question' }, { maxReplies: 1, timeoutMs: c.patienceMs }).then(data));
      await asked.until(1);
      await own.subscription.close();
      gate.open();
      same(await c.within(replies, 'the reply'), ['late'], 'data');
    },
  },
  {
    id: 'request/paused',
    clause: 'request.1',
    title: 'a reply arrives even if the requester’s subscription is paused',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const own = await c.listen(desk, { bufferSize: 2 });
      await answering(c, 'kitchen', (question) => question);
      own.subscription.pause();
      // As many as it holds.
      const publisher = await c.join('till');
      const published = Promise.all(
        [0, 1].map((n) => publisher.publish({ type: 'order', data: n }, { to: 'role:desk' })),
      );
      await takenOrHeldUp(published);
      same(
        data(
          await c.within(
            desk.request({ type: 'question', data: 1 }, { to: 'role:kitchen', maxReplies: 1, timeoutMs: c.patienceMs }),
            'the reply',
          ),
        ),
        [1],
        'the reply',
      );
      same(own.count, 0, 'events while it was paused');
      own.subscription.resume();
      await own.until(2);
      await published;
    },
  },
  {
    id: 'request/all-who-answer',
    clause: 'request.2',
    title: 'all replies that arrive in time are collected',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      for (const n of [1, 2, 3]) await answering(c, `kitchen/k${n}`, () => n);
      const replies = await c.within(
        desk.request({ type: 'question' }, { timeoutMs: c.stretched(400) }),
        'the replies',
      );
      sameSet(data(replies), [1, 2, 3], 'data');
      sameSet(
        replies.map(({ from }) => from.instance),
        ['k1', 'k2', 'k3'],
        'from',
      );
    },
  },
  {
    id: 'request/some-do-not-answer',
    clause: 'request.2',
    title: 'responders that fail or do not reply do not affect the other replies',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      await answering(c, 'kitchen/k1', () => 'fine');
      await c.listen(await c.join('kitchen/k2'), { retry: { maxAttempts: 1 } }, () => {
        throw new Error('no answer');
      });
      await c.listen(await c.join('kitchen/k3'));
      const replies = await c.within(
        desk.request({ type: 'question' }, { timeoutMs: c.stretched(400) }),
        'the replies',
      );
      same(data(replies), ['fine'], 'data');
    },
  },
  {
    id: 'request/expect',
    clause: 'request.3',
    title: 'reaching maxReplies ends the collection early',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      for (const n of [1, 2, 3]) await answering(c, `kitchen/k${n}`, () => n);
      const replies = await c.within(
        desk.request({ type: 'question' }, { maxReplies: 2, timeoutMs: 600_000 }),
        'two replies',
      );
      same(replies.length, 2, 'replies');
    },
  },
  {
    id: 'request/nobody',
    clause: 'request.4',
    title: 'no recipients: the collection ends in time and is empty',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const replies = await c.within(desk.request({ type: 'question' }, { timeoutMs: 100 }), 'no reply');
      same(replies.length, 0, 'replies');
    },
  },
  {
    id: 'request/only-those-addressed',
    clause: 'request.5',
    title: 'a request to a role or an instance is answered only by its recipients',
    requires: { capabilities: ['request', 'role', 'instance'] },
    async run(c) {
      const desk = await c.join('desk');
      await answering(c, 'kitchen/k1', () => 'k1');
      await answering(c, 'kitchen/k2', () => 'k2');
      await answering(c, 'bar/b1', () => 'b1');
      const role = await c.within(
        desk.request({ type: 'question' }, { to: 'role:kitchen', timeoutMs: c.stretched(300) }),
        'to the role',
      );
      sameSet(data(role), ['k1', 'k2'], 'from the role');
      const one = await c.within(
        desk.request({ type: 'question' }, { to: 'instance:b1', timeoutMs: c.stretched(300) }),
        'to the instance',
      );
      same(data(one), ['b1'], 'from the instance');
    },
  },
  {
    id: 'request/many-at-once',
    clause: 'request.6',
    title: 'forty concurrent requests from two requesters each get their own replies',
    requires,
    async run(c) {
      const desks = [await c.join('desk'), await c.join('desk')];
      await answering(c, 'kitchen', (question) => `re ${String(question)}`);
      await Promise.all(
        Array.from({ length: 40 }, async (_, n) => {
          const replies = await c.within(
            desks[n % 2]!.request({ type: 'question', data: n }, { maxReplies: 1, timeoutMs: c.patienceMs }),
            `reply ${n}`,
          );
          same(data(replies), [`re ${n}`], `reply ${n}`);
        }),
      );
    },
  },
  {
    id: 'request/one-by-one',
    clause: 'request.7',
    title: 'replies are read with for await',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      for (const n of [1, 2, 3]) await answering(c, `kitchen/k${n}`, () => n);
      const read: unknown[] = [];
      const reading = later(
        (async () => {
          for await (const reply of desk.request({ type: 'question' }, { maxReplies: 3, timeoutMs: c.patienceMs }))
            read.push(reply.data);
        })(),
      );
      await c.within(reading, 'reading three replies');
      sameSet(read, [1, 2, 3], 'data');
    },
  },
  {
    id: 'request/leave-early',
    clause: 'request.7',
    title: 'leaving the loop over replies ends the request',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      for (const n of [1, 2]) await answering(c, `kitchen/k${n}`, () => n);
      const reading = later(
        (async () => {
          for await (const reply of desk.request({ type: 'question' }, { timeoutMs: 600_000 })) return reply.data;
          return undefined;
        })(),
      );
      check([1, 2].includes((await c.within(reading, 'the first reply')) as number), 'no reply');
    },
  },
  {
    id: 'request/reply-to-no-request',
    clause: 'request.8',
    title: 'an event that is not a request cannot be replied to',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      let outcome: Promise<unknown> | undefined;
      const inbox = await c.listen(await c.join('kitchen'), {}, (_, delivery) => {
        outcome = refused(() => delivery.reply('x'), ['invalid-event'], 'reply');
        return outcome.catch(() => {});
      });
      await desk.publish({ type: 'order' });
      await inbox.until(1);
      await outcome;
    },
  },
  {
    id: 'request/aborted',
    clause: 'request.9',
    title: 'an aborted request rejects',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const control = new AbortController();
      const asking = refused(
        () => desk.request({ type: 'question' }, { timeoutMs: 600_000, abortSignal: control.signal }),
        ['aborted'],
        'request',
      );
      control.abort();
      await c.within(asking, 'the aborted request');
      await c.within(
        refused(() => desk.request({ type: 'question' }, { abortSignal: AbortSignal.abort() }), ['aborted'], 'request'),
        'the request with an aborted signal',
      );
    },
  },
  {
    id: 'request/replies-are-private',
    clause: 'request.10',
    title: 'only the requester sees the replies, and its subscriptions do not',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const own = await c.listen(desk);
      const other = await c.listen(await c.join('desk'), { filter: { exact: { type: 'hello' } } });
      const all = await c.listen(await c.join('auditor'));
      await answering(c, 'kitchen', () => 'secret');
      await c.within(desk.request({ type: 'question' }, { maxReplies: 1, timeoutMs: c.patienceMs }), 'the reply');
      await desk.publish({ type: 'hello', data: 'hello' });
      await c.fence(desk, [own, all]);
      await other.until(1);
      same([own.data, other.data], [[], ['hello']], 'the asker’s own subscription, and another');
      check(!all.data.includes('secret'), 'another participant saw the reply');
    },
  },
  {
    id: 'request/closed',
    clause: 'request.11',
    title: 'closing ends pending requests',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const asking = later(
        (async () => {
          try {
            return await desk.request({ type: 'question' }, { timeoutMs: 600_000 });
          } catch (thrown) {
            return thrown;
          }
        })(),
      );
      await c.within(desk.close(), 'close');
      const outcome = await c.within(asking, 'the request of a closed broadcaster');
      check(
        Array.isArray(outcome) || (outcome as { code?: string }).code === 'closed',
        `it ended with ${String(outcome)}`,
      );
    },
  },
];
