import { describe, expect, test } from 'vitest';
import { START_MS } from '../../../src/time/manual-clock.ts';
import { content } from './content.ts';
import { bench, idsIn, reasonsIn, refusal } from './harness.ts';

describe('time to live', () => {
  test('is the shorter of what the sender and the queue say', () => {
    const { broker, send } = bench();
    broker.entities.createQueue('q', { defaultMessageTimeToLiveMs: 5_000 });
    for (const ttlMs of [1_000, 60_000, Number.POSITIVE_INFINITY]) send('q', { ttlMs });
    const expiry = broker
      .source('q')
      .peek(1, 10)
      .map(({ expiresAtMs }) => expiresAtMs - START_MS);
    expect(expiry).toEqual([1_000, 5_000, 5_000]);
  });

  test('ends a message at its time, to the dead letters where the queue says so', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('drops');
    broker.entities.createQueue('keeps', { deadLetteringOnMessageExpiration: true });
    for (const path of ['drops', 'keeps']) send(path, { messageId: path, ttlMs: 1_000 });
    clock.advance(999);
    expect([idsIn(broker, 'drops'), idsIn(broker, 'keeps')]).toEqual([['drops'], ['keeps']]);
    clock.advance(1);
    expect([idsIn(broker, 'drops'), idsIn(broker, 'keeps')]).toEqual([[], []]);
    expect(listen('keeps', 1).got).toEqual([]);
    expect(reasonsIn(broker, 'drops/$DeadLetterQueue')).toEqual([]);
    expect(reasonsIn(broker, 'keeps/$DeadLetterQueue')).toEqual(['TTLExpiredException']);
    clock.advance(1e10);
    expect(idsIn(broker, 'keeps/$DeadLetterQueue')).toEqual(['keeps']);
    expect(clock.timers).toBe(0);
  });

  test('is kept even when the timer is late', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q');
    for (const messageId of ['a', 'b']) send('q', { messageId, ttlMs: 1_000 });
    send('q', { messageId: 'c' });
    clock.stall(1_000);
    expect(idsIn(broker, 'q')).toEqual(['c']);
    expect(listen('q', 5).ids()).toEqual(['c']);
  });

  test('does not end what is locked, until it is given back', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q', { deadLetteringOnMessageExpiration: true });
    for (const messageId of ['completed', 'abandoned', 'left']) send('q', { messageId, ttlMs: 1_000 });
    const { got, receiver } = listen('q', 10);
    clock.advance(2_000);
    receiver.settle(got[0]!.lockToken!, { kind: 'complete' });
    expect(reasonsIn(broker, 'q/$DeadLetterQueue')).toEqual([]);
    receiver.settle(got[1]!.lockToken!, { kind: 'abandon' });
    expect(idsIn(broker, 'q/$DeadLetterQueue')).toEqual(['abandoned']);
    clock.advance(60_000);
    expect(idsIn(broker, 'q/$DeadLetterQueue')).toEqual(['abandoned', 'left']);
    expect(got).toHaveLength(3);
  });

  test('is looked at when a deferred message is asked for, and not before', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q', { deadLetteringOnMessageExpiration: true });
    send('q', { messageId: 'a', ttlMs: 1_000 });
    const { got, receiver, source } = listen('q', 1);
    receiver.settle(got[0]!.lockToken!, { kind: 'defer' });
    clock.advance(5_000);
    expect(idsIn(broker, 'q')).toEqual(['a']);
    expect(refusal(() => source.receiveDeferred([1], 'peek-lock'))).toBe('com.microsoft:message-not-found');
    expect(reasonsIn(broker, 'q/$DeadLetterQueue')).toEqual(['TTLExpiredException']);
  });

  test('of a topic bounds that of its subscriptions', () => {
    const { broker, send } = bench();
    broker.entities.createTopic('t', { defaultMessageTimeToLiveMs: 10_000 });
    broker.entities.createSubscription('t', 'short', { defaultMessageTimeToLiveMs: 2_000 });
    broker.entities.createSubscription('t', 'long', { defaultMessageTimeToLiveMs: 20_000 });
    send('t');
    const expiry = ['short', 'long'].map((name) => broker.source(`t/Subscriptions/${name}`).peek(1, 1)[0]!.expiresAtMs);
    expect(expiry).toEqual([START_MS + 2_000, START_MS + 10_000]);
  });
});

describe('a lock', () => {
  test('ends after its duration; the message goes out again, once more counted', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q', { lockDurationMs: 10_000, maxDeliveryCount: 2 });
    send('q', { messageId: 'a' });
    const { got, receiver } = listen('q', 10);
    clock.advance(9_999);
    expect(got).toHaveLength(1);
    clock.advance(1);
    expect(got.map(({ message }) => message.deliveryCount)).toEqual([1, 1]);
    expect(refusal(() => receiver.settle(got[0]!.lockToken!, { kind: 'complete' }))).toBe(
      'com.microsoft:message-lock-lost',
    );
    clock.advance(10_000);
    expect(got).toHaveLength(2);
    expect(reasonsIn(broker, 'q/$DeadLetterQueue')).toEqual(['MaxDeliveryCountExceeded']);
  });

  test('can be renewed, also several at once, but not when one of them is lost', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q', { lockDurationMs: 10_000 });
    for (const messageId of ['a', 'b']) send('q', { messageId });
    const { got, source, receiver } = listen('q', 2);
    const tokens = got.map(({ lockToken }) => lockToken!);
    for (let round = 0; round < 5; round++) {
      clock.advance(6_000);
      expect(source.renewLocks(tokens)).toEqual([clock.now() + 10_000, clock.now() + 10_000]);
      expect(got[0]!.lockedUntilMs).toBe(clock.now() + 10_000);
    }
    clock.advance(6_000);
    receiver.settle(tokens[0]!, { kind: 'complete' });
    expect(refusal(() => source.renewLocks([tokens[1]!, tokens[0]!]))).toBe('com.microsoft:message-lock-lost');
    clock.advance(4_000);
    expect(source.peek(1, 1)[0]!.deliveryCount).toBe(1);
  });

  test('that has ended is lost even when the timer is late', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q');
    send('q');
    const { got, receiver } = listen('q', 1);
    clock.stall(60_000);
    expect(refusal(() => receiver.settle(got[0]!.lockToken!, { kind: 'complete' }))).toBe(
      'com.microsoft:message-lock-lost',
    );
    expect(listen('q', 1).got).toHaveLength(1);
  });
});

describe('a scheduled message', () => {
  test('comes at its time, with a new number', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q');
    expect(send('q', { messageId: 'later', scheduledAtMs: START_MS + 1_000, ttlMs: 500 })).toBe(1);
    expect(send('q', { messageId: 'past', scheduledAtMs: START_MS - 1 })).toBe(2);
    expect(broker.entities.queue('q')!.counts).toMatchObject({ active: 1, scheduled: 1 });
    const { got, ids } = listen('q', 10);
    expect(ids()).toEqual(['past']);
    clock.advance(1_000);
    expect(ids()).toEqual(['past', 'later']);
    expect(got[1]!.message).toMatchObject({
      sequenceNumber: 3,
      enqueuedAtMs: START_MS + 1_000,
      expiresAtMs: START_MS + 1_500,
    });
    expect(broker.entities.queue('q')!.counts).toMatchObject({ active: 2, scheduled: 0 });
  });

  test('can be cancelled, all or none', () => {
    const { broker, clock, send } = bench();
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 's');
    broker.entities.createQueue('q');
    for (const path of ['t', 'q']) {
      const first = send(path, { scheduledAtMs: START_MS + 1_000 });
      const second = send(path, { scheduledAtMs: START_MS + 2_000 });
      const target = broker.target(path);
      expect(refusal(() => target.cancelScheduled([first, 99]))).toBe('com.microsoft:message-not-found');
      target.cancelScheduled([second]);
      expect(refusal(() => target.cancelScheduled([second]))).toBe('com.microsoft:message-not-found');
      clock.advance(0);
    }
    expect(broker.counts()).toMatchObject({ scheduled: 2, active: 0 });
    clock.advance(5_000);
    expect(broker.counts()).toMatchObject({ scheduled: 0, active: 2 });
    expect(broker.entities.topic('t')!.sizeInBytes).toBe(200);
  });
});

describe('duplicate detection', () => {
  test('drops what was sent within the window, without a word', () => {
    const { broker, clock, send } = bench();
    broker.entities.createQueue('q', {
      requiresDuplicateDetection: true,
      duplicateDetectionHistoryTimeWindowMs: 20_000,
    });
    send('q', { messageId: 'a' });
    send('q', { messageId: 'b', scheduledAtMs: START_MS + 1e6 });
    clock.advance(19_999);
    for (const messageId of ['a', 'b']) expect(send('q', { messageId })).toBe(0);
    broker.target('q').send([content({ messageId: 'c' }), content({ messageId: 'c' })]);
    send('q');
    send('q');
    expect(idsIn(broker, 'q')).toEqual(['a', 'b', 'c', undefined, undefined]);
    clock.advance(1);
    send('q', { messageId: 'a' });
    expect(idsIn(broker, 'q').filter((id) => id === 'a')).toHaveLength(2);
  });

  test('also looks at the session or partition key where the entity is partitioned', () => {
    const { broker, send } = bench();
    broker.entities.createTopic('t', { requiresDuplicateDetection: true, enablePartitioning: true });
    broker.entities.createSubscription('t', 's');
    for (const partitionKey of ['x', 'y', 'x']) send('t', { messageId: 'a', partitionKey });
    expect(idsIn(broker, 't/Subscriptions/s')).toHaveLength(2);
  });

  test('remembers nothing once the window is over', () => {
    const { broker, clock, send } = bench();
    broker.entities.createQueue('q', {
      requiresDuplicateDetection: true,
      duplicateDetectionHistoryTimeWindowMs: 20_000,
    });
    send('q', { messageId: 'a' });
    expect(clock.timers).toBe(1);
    clock.advance(20_000);
    expect(clock.timers).toBe(0);
  });
});

describe('auto-delete on idle', () => {
  const IDLE_MS = 300_000;

  test('removes a queue that nobody sends to or receives from', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('q', { autoDeleteOnIdleMs: IDLE_MS });
    clock.advance(IDLE_MS - 1);
    send('q');
    clock.advance(IDLE_MS - 1);
    const { receiver } = listen('q', 0);
    clock.advance(10 * IDLE_MS);
    expect(broker.entities.queue('q')).toBeDefined();
    receiver.close();
    const gone: string[] = [];
    broker.target('q').onGone(({ condition }) => gone.push(condition));
    clock.advance(IDLE_MS);
    expect(broker.entities.queue('q')).toBeUndefined();
    expect(gone).toEqual(['amqp:not-found']);
    expect(clock.timers).toBe(0);
  });

  test('removes a subscription without receivers, whatever is sent', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 'dead', { autoDeleteOnIdleMs: IDLE_MS });
    broker.entities.createSubscription('t', 'live', { autoDeleteOnIdleMs: IDLE_MS });
    listen('t/Subscriptions/live', 1);
    for (let minute = 0; minute < 30; minute++) {
      send('t');
      clock.advance(60_000);
    }
    expect(broker.entities.subscriptions('t').map(({ name }) => name)).toEqual(['live']);
  });

  test('is put off by a peek, an update, a new rule, and by scheduled messages', () => {
    const { broker, clock, send } = bench();
    broker.entities.createTopic('t', { autoDeleteOnIdleMs: 10 * IDLE_MS });
    broker.entities.createSubscription('t', 's', { autoDeleteOnIdleMs: IDLE_MS });
    const uses = [
      () => broker.source('t/Subscriptions/s').peek(1, 1),
      () => broker.entities.updateSubscription('t', 's', { userMetadata: 'x' }),
      () => broker.entities.createRule('t', 's', { name: 'r', filter: { kind: 'false' } }),
    ];
    for (const use of uses) {
      clock.advance(IDLE_MS - 1);
      use();
    }
    clock.advance(IDLE_MS - 1);
    expect(broker.entities.subscription('t', 's')).toBeDefined();
    clock.advance(1);
    expect(broker.entities.subscription('t', 's')).toBeUndefined();
    send('t', { scheduledAtMs: clock.now() + 100 * IDLE_MS });
    clock.advance(99 * IDLE_MS);
    expect(broker.entities.topic('t')).toBeDefined();
    clock.advance(12 * IDLE_MS);
    expect(broker.entities.topic('t')).toBeUndefined();
  });
});
