import { expect, test } from 'vitest';
import type { Receiver } from '../../../src/service-bus/broker/index.ts';
import { content } from './content.ts';
import { bench, idsIn, idsOf } from './harness.ts';

test('a dead letter may close whom the next message was meant for', () => {
  const { broker, clock, send } = bench();
  broker.entities.createQueue('q', { deadLetteringOnMessageExpiration: true });
  send('q', { messageId: 'expired', ttlMs: 1_000 });
  send('q', { messageId: 'next' });
  const got: unknown[] = [];
  const receiver = broker.source('q').receive('peek-lock', ({ message }) => got.push(message.content.messageId));
  broker.source('q/$DeadLetterQueue').receive('peek-lock', () => receiver.close()).credit = 1;
  // The timer is late, so that handing out is what finds it expired.
  clock.stall(1_000);
  receiver.credit = 5;
  expect(got).toEqual([]);
  expect(broker.entities.queue('q')!.counts).toMatchObject({ active: 1, deadLettered: 1 });
  expect(broker.source('q').peek(1, 1)[0]).toMatchObject({ deliveryCount: 0, state: 'active' });
});

test('a dead letter may release the session that the next message was meant for', async () => {
  const { broker, clock, send } = bench();
  broker.entities.createQueue('q', { requiresSession: true, deadLetteringOnMessageExpiration: true });
  send('q', { messageId: 'expired', sessionId: 's', ttlMs: 1_000 });
  send('q', { messageId: 'next', sessionId: 's' });
  const source = broker.source('q');
  const session = await source.acceptSession('s', 'peek-lock', { timeoutMs: 0 });
  const got: unknown[] = [];
  const receiver = session.start(({ message }) => got.push(message.content.messageId));
  broker.source('q/$DeadLetterQueue').receive('peek-lock', () => session.release()).credit = 1;
  clock.stall(1_000);
  receiver.credit = 5;
  expect(got).toEqual([]);
  const again = await source.acceptSession(null, 'peek-lock', { timeoutMs: 0 });
  again.start(({ message }) => got.push(message.content.messageId)).credit = 5;
  expect(got).toEqual(['next']);
});

test('a session that is lost may be lost only once, and its next holder keeps it', async () => {
  const { broker, clock, send } = bench();
  broker.entities.createQueue('q', { requiresSession: true, maxDeliveryCount: 1, lockDurationMs: 10_000 });
  for (const messageId of ['a', 'b']) send('q', { messageId, sessionId: 's' });
  const source = broker.source('q');
  const session = await source.acceptSession('s', 'peek-lock', { timeoutMs: 0 });
  let lost = 0;
  session.onLost(() => lost++);
  session.start(() => {}).credit = 1;
  const waiting = source.acceptSession(null, 'peek-lock', { timeoutMs: 60_000 });
  // Told of the first failure while the others are still given back.
  broker.source('q/$DeadLetterQueue').receive('peek-lock', () => session.release()).credit = 5;
  clock.advance(10_000);
  expect(lost).toBe(1);
  const next = await waiting;
  const got: unknown[] = [];
  next.start(({ message }) => got.push(message.content.messageId)).credit = 5;
  expect(got).toEqual(['b']);
  expect(source.renewSession('s')).toBe(clock.now() + 10_000);
});

test('a receiver may delete what it receives from', () => {
  const { broker, clock, send } = bench();
  broker.entities.createTopic('t');
  for (const name of ['a', 'b']) broker.entities.createSubscription('t', name);
  const got: string[] = [];
  for (const name of ['a', 'b']) {
    const receiver = broker.source(`t/Subscriptions/${name}`).receive('peek-lock', () => {
      got.push(name);
      broker.entities.deleteTopic('t');
      receiver.close();
    });
    receiver.credit = 5;
  }
  broker.target('t').send([content(), content()]);
  expect(got).toEqual(['a']);
  expect(clock.timers).toBe(0);
  expect(() => send('t')).toThrow('could not be found');
});

test('queues that feed one another within a handler end when their messages do', () => {
  const { broker } = bench();
  for (const path of ['ping', 'pong']) broker.entities.createQueue(path);
  let left = 20_000;
  for (const [from, to] of [
    ['ping', 'pong'],
    ['pong', 'ping'],
  ] as const) {
    const receiver: Receiver = broker.source(from).receive('receive-and-delete', ({ message }) => {
      receiver.credit = 1;
      if (--left > 0) broker.target(to).send([message.content]);
    });
    receiver.credit = 1;
  }
  broker.target('ping').send([content({ messageId: 'ball' })]);
  expect(left).toBe(0);
  expect([idsIn(broker, 'ping'), idsIn(broker, 'pong')]).toEqual([[], []]);
});

test('messages sent while others are handed out come after them', () => {
  const { broker, listen } = bench();
  broker.entities.createTopic('t');
  broker.entities.createSubscription('t', 'a');
  broker.entities.createSubscription('t', 'b');
  const receiver = broker.source('t/Subscriptions/a').receive('receive-and-delete', ({ message }) => {
    if (message.content.messageId === '1') broker.target('t').send([content({ messageId: '3' })]);
  });
  receiver.credit = 10;
  broker.target('t').send([content({ messageId: '1' }), content({ messageId: '2' })]);
  expect(idsOf(listen('t/Subscriptions/b', 10).got.map(({ message }) => message))).toEqual(['1', '2', '3']);
});
