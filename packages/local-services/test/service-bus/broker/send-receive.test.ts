import { describe, expect, test } from 'vitest';
import { START_MS } from '../../../src/time/manual-clock.ts';
import { content } from './content.ts';
import { bench, idsIn, idsOf, reasonsIn, refusal } from './harness.ts';

describe('a queue', () => {
  test('hands out messages in order, within credit, also those sent before', () => {
    const { broker, send, listen } = bench();
    broker.entities.createQueue('orders');
    send('Orders', { messageId: 'a' });
    send('orders', { messageId: 'b' });
    const listener = listen('ORDERS', 1);
    expect(listener.ids()).toEqual(['a']);
    listener.receiver.credit = 5;
    send('orders', { messageId: 'c' });
    expect(listener.ids()).toEqual(['a', 'b', 'c']);
    expect(listener.receiver.credit).toBe(3);
    expect(listener.got.map(({ message }) => message.sequenceNumber)).toEqual([1, 2, 3]);
    expect(listener.got[0]).toMatchObject({
      lockedUntilMs: START_MS + 60_000,
      message: { enqueuedAtMs: START_MS, deliveryCount: 0, state: 'active', expiresAtMs: Number.POSITIVE_INFINITY },
    });
    expect(listener.got[0]!.lockToken).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  });

  test('shares messages evenly among receivers with credit', () => {
    const { broker, send, listen } = bench();
    broker.entities.createQueue('q');
    const listeners = [listen('q', 10), listen('q', 10), listen('q', 10), listen('q', 0)];
    for (let at = 0; at < 30; at++) send('q');
    expect(listeners.map(({ got }) => got.length)).toEqual([10, 10, 10, 0]);
  });

  test('deletes what it hands out in receive-and-delete', () => {
    const { broker, send, listen } = bench();
    broker.entities.createQueue('q');
    const { got } = listen('q', 10, 'receive-and-delete');
    send('q');
    expect(got[0]).toMatchObject({ lockToken: undefined, lockedUntilMs: 0 });
    expect(broker.entities.queue('q')).toMatchObject({ counts: { active: 0 }, sizeInBytes: 0 });
  });

  test('takes all of a batch or nothing', () => {
    const { broker } = bench();
    broker.entities.createQueue('q');
    const tooLarge = content({ size: 300_000 });
    expect(refusal(() => broker.target('q').send([content(), tooLarge]))).toBe('amqp:link:message-size-exceeded');
    expect(idsIn(broker, 'q')).toEqual([]);
    expect(broker.target('q').send([content(), content()])).toEqual([1, 2]);
  });

  test('gives what a closed receiver holds to others only when its locks end', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q');
    send('q', { messageId: 'a' });
    const first = listen('q', 1);
    first.receiver.close();
    first.receiver.close();
    const second = listen('q', 1);
    expect(second.ids()).toEqual([]);
    clock.advance(60_000);
    expect(second.ids()).toEqual(['a']);
    expect(second.got[0]!.message.deliveryCount).toBe(1);
  });

  test('lets a receiver do anything while it is handed a message', () => {
    const { broker, send } = bench();
    broker.entities.createQueue('q');
    broker.entities.createQueue('other');
    const seen: unknown[] = [];
    const receiver = broker.source('q').receive('peek-lock', ({ message, lockToken }) => {
      seen.push(message.content.messageId);
      receiver.settle(lockToken!, { kind: 'complete' });
      if (seen.length === 1) send('q', { messageId: 'sent within' });
      if (seen.length === 3) receiver.close();
    });
    receiver.credit = 10;
    broker.target('q').send(['a', 'b', 'c'].map((messageId) => content({ messageId })));
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(idsIn(broker, 'q')).toEqual(['sent within']);
  });

  test('peeks at messages in every state, without locking them', () => {
    const { broker, send, listen } = bench();
    broker.entities.createQueue('q');
    for (const messageId of ['locked', 'deferred', 'waiting']) send('q', { messageId });
    send('q', { messageId: 'scheduled', scheduledAtMs: START_MS + 1 });
    const { got, receiver } = listen('q', 2);
    receiver.settle(got[1]!.lockToken!, { kind: 'defer' });
    const peeked = broker.source('q').peek(1, 10);
    expect(idsOf(peeked)).toEqual(['locked', 'deferred', 'waiting', 'scheduled']);
    expect(peeked.map(({ state }) => state)).toEqual(['active', 'deferred', 'active', 'scheduled']);
    expect(idsOf(broker.source('q').peek(2, 2))).toEqual(['deferred', 'waiting']);
    expect(broker.source('q').peek(5, 10)).toEqual([]);
  });

  test('deletes in bulk what nobody holds and is old enough', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q');
    for (const messageId of ['locked', 'a', 'b', 'c']) send('q', { messageId });
    listen('q', 1);
    clock.advance(1);
    send('q', { messageId: 'late' });
    expect(broker.source('q').deleteBatch(2, clock.now())).toBe(2);
    expect(broker.source('q').deleteBatch(10, clock.now())).toBe(1);
    send('q', { messageId: 'of a session', sessionId: 's' });
    expect(broker.source('q').deleteBatch(10, clock.now() + 1, 's')).toBe(1);
    expect(idsIn(broker, 'q')).toEqual(['locked', 'late']);
  });
});

describe('settlement', () => {
  function one() {
    const made = bench();
    made.broker.entities.createQueue('q', { maxDeliveryCount: 3 });
    made.send('q', { messageId: 'a', properties: { colour: 'red' } });
    return { ...made, ...made.listen('q', 1) };
  }

  test('complete removes the message, by any link, once', () => {
    const { broker, source, got, receiver } = one();
    const { lockToken } = got[0]!;
    source.settle(lockToken!, { kind: 'complete' });
    expect(idsIn(broker, 'q')).toEqual([]);
    for (const settle of [
      () => source.settle(lockToken!, { kind: 'complete' }),
      () => receiver.settle('x', { kind: 'complete' }),
    ]) {
      expect(refusal(settle)).toBe('com.microsoft:message-lock-lost');
    }
  });

  test('a receiver settles only what it was handed', () => {
    const { got, listen } = one();
    const other = listen('q', 1);
    expect(refusal(() => other.receiver.settle(got[0]!.lockToken!, { kind: 'complete' }))).toBe(
      'com.microsoft:message-lock-lost',
    );
  });

  test('abandon gives it back to its place, changed, until it has failed too often', () => {
    const { broker, send, receiver, got } = one();
    send('q', { messageId: 'b' });
    for (let attempt = 1; attempt <= 3; attempt++) {
      const { message, lockToken } = got.at(-1)!;
      expect(message.content.messageId).toBe('a');
      expect(message.deliveryCount).toBe(attempt - 1);
      receiver.settle(lockToken!, { kind: 'abandon', modify: new Map([['attempt', BigInt(attempt)]]) });
      expect(got).toHaveLength(attempt);
      receiver.credit = 1;
    }
    expect(got.at(-1)!.message.content.messageId).toBe('b');
    const [dead] = broker.source('q/$DeadLetterQueue').peek(1, 10);
    expect(Object.fromEntries(dead!.content.applicationProperties)).toMatchObject({
      colour: 'red',
      attempt: 3n,
      DeadLetterReason: 'MaxDeliveryCountExceeded',
    });
    expect(broker.entities.queue('q')!.counts).toMatchObject({ active: 1, deadLettered: 1 });
  });

  test('defer sets it aside for whoever knows its number', () => {
    const { broker, source, receiver, got } = one();
    receiver.settle(got[0]!.lockToken!, { kind: 'defer', modify: new Map([['why', 'early']]) });
    receiver.credit = 10;
    expect(got).toHaveLength(1);
    expect(refusal(() => source.receiveDeferred([1, 2], 'peek-lock'))).toBe('com.microsoft:message-not-found');
    const [again] = source.receiveDeferred([1], 'peek-lock');
    expect(again!.message.content.applicationProperties.get('why')).toBe('early');
    expect(again!.message.deliveryCount).toBe(1);
    expect(refusal(() => source.receiveDeferred([1], 'peek-lock'))).toBe('com.microsoft:message-not-found');
    source.settle(again!.lockToken!, { kind: 'abandon' });
    expect(got).toHaveLength(1);
    expect(source.peek(1, 1)[0]).toMatchObject({ state: 'deferred', deliveryCount: 2 });
    expect(source.receiveDeferred([1], 'receive-and-delete')[0]!.lockToken).toBeUndefined();
    expect(idsIn(broker, 'q')).toEqual([]);
  });

  test('defer counts, and ends among the dead letters', () => {
    const { broker, source, receiver, got } = one();
    receiver.settle(got[0]!.lockToken!, { kind: 'defer' });
    for (let round = 0; round < 2; round++) {
      const [again] = source.receiveDeferred([1], 'peek-lock');
      source.settle(again!.lockToken!, { kind: 'defer' });
    }
    expect(broker.entities.queue('q')!.counts).toMatchObject({ active: 0, deadLettered: 1 });
    expect(reasonsIn(broker, 'q/$deadletterqueue')).toEqual(['MaxDeliveryCountExceeded']);
    expect(refusal(() => source.receiveDeferred([1], 'peek-lock'))).toBe('com.microsoft:message-not-found');
  });

  test('release gives it back as if it had never left', () => {
    const { send, receiver, got } = one();
    send('q', { messageId: 'b' });
    for (let round = 0; round < 20; round++) {
      receiver.settle(got.at(-1)!.lockToken!, { kind: 'release' });
      receiver.credit = 1;
    }
    expect(got.at(-1)!.message).toMatchObject({ sequenceNumber: 1, deliveryCount: 0 });
  });

  test('a session id means nothing where there are no sessions', () => {
    const { broker, source, send, listen } = one();
    send('q', { messageId: 'b', sessionId: 's' });
    const { got } = listen('q', 1);
    source.settle(got[0]!.lockToken!, { kind: 'defer' }, 's');
    const [deferred] = source.receiveDeferred([2], 'peek-lock', 's');
    source.settle(deferred!.lockToken!, { kind: 'dead-letter', reason: 'r' }, 's');
    const dead = broker.source('q/$deadletterqueue');
    expect(idsOf(dead.peek(1, 10, 's'))).toEqual(['b']);
    expect(dead.peek(1, 10, 'other')).toEqual([]);
    const [held] = listen('q/$deadletterqueue', 1).got;
    dead.settle(held!.lockToken!, { kind: 'complete' }, 's');
    expect(idsIn(broker, 'q/$deadletterqueue')).toEqual([]);
  });

  test('dead-letter moves it, with a reason; from there it goes no further', () => {
    const { broker, clock, receiver, got, listen } = one();
    receiver.settle(got[0]!.lockToken!, {
      kind: 'dead-letter',
      reason: 'bad',
      description: 'very bad',
      modify: new Map([['colour', null]]),
    });
    const dead = listen('q/$deadletterqueue', 1);
    expect(Object.fromEntries(dead.got[0]!.message.content.applicationProperties)).toEqual({
      DeadLetterReason: 'bad',
      DeadLetterErrorDescription: 'very bad',
    });
    const { lockToken } = dead.got[0]!;
    expect(refusal(() => dead.receiver.settle(lockToken!, { kind: 'dead-letter' }))).toBe('amqp:not-allowed');
    for (let attempt = 0; attempt < 20; attempt++) {
      dead.receiver.settle(dead.got.at(-1)!.lockToken!, { kind: 'abandon' });
      dead.receiver.credit = 1;
    }
    clock.advance(1e9);
    expect(dead.source.peek(1, 1)[0]!.deliveryCount).toBe(0);
    expect(reasonsIn(broker, 'q/$deadletterqueue')).toEqual(['bad']);
    dead.receiver.credit = 1;
    dead.receiver.settle(dead.got.at(-1)!.lockToken!, { kind: 'complete' });
    expect(idsIn(broker, 'q/$deadletterqueue')).toEqual([]);
  });
});

test('what a receiver throws stops that receiver, and not whoever sends', () => {
  const faults: unknown[] = [];
  const { broker, send, listen } = bench({ onFault: (error) => faults.push(error) });
  broker.entities.createQueue('q');
  const error = new Error('handler');
  const receiver = broker.source('q').receive('peek-lock', () => {
    throw error;
  });
  receiver.credit = 10;
  expect(send('q')).toBe(1);
  expect(faults).toEqual([error]);
  send('q', { messageId: 'next' });
  expect(listen('q', 1).ids()).toEqual(['next']);
});
