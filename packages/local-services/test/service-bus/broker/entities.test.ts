import { describe, expect, test } from 'vitest';
import type { QueueDescription } from '../../../src/service-bus/broker/index.ts';
import { START_MS } from '../../../src/time/manual-clock.ts';
import { content } from './content.ts';
import { bench, idsIn, refusal, rejection } from './harness.ts';

describe('entities', () => {
  test('have complete descriptions, kept as they were given', () => {
    const { broker, clock } = bench();
    const queue = broker.entities.createQueue('Orders/new', { lockDurationMs: 30_000, userMetadata: 'm' });
    expect(queue).toMatchObject({
      kind: 'queue',
      path: 'Orders/new',
      createdAtMs: START_MS,
      description: { lockDurationMs: 30_000, userMetadata: 'm', maxDeliveryCount: 10, status: 'Active' },
      counts: { active: 0, deadLettered: 0, scheduled: 0, transfer: 0, transferDeadLettered: 0 },
    });
    clock.advance(5);
    const updated = broker.entities.updateQueue('orders/NEW', { maxDeliveryCount: 5 });
    expect(updated).toMatchObject({
      updatedAtMs: START_MS + 5,
      description: { maxDeliveryCount: 5, userMetadata: 'm' },
    });
    expect(broker.entities.queues()).toEqual([updated]);
    broker.entities.createTopic('t');
    broker.entities.createSubscription('T', 'S');
    expect(broker.entities.topics()).toMatchObject([{ kind: 'topic', path: 't', subscriptionCount: 1 }]);
    expect(broker.entities.subscriptions('t')).toMatchObject([{ kind: 'subscription', topic: 't', name: 'S' }]);
    expect(broker.counts().entities).toBe(3);
  });

  test('exist once, whatever the case and the kind', () => {
    const { broker } = bench();
    const { entities } = broker;
    entities.createQueue('a');
    entities.createTopic('t');
    entities.createSubscription('t', 's');
    const exists = 'com.microsoft:entity-already-exists';
    expect(refusal(() => entities.createQueue('A'))).toBe(exists);
    expect(refusal(() => entities.createTopic('a'))).toBe(exists);
    expect(refusal(() => entities.createSubscription('t', 'S'))).toBe(exists);
    expect(refusal(() => entities.createSubscription('a', 's'))).toBe('amqp:not-found');
    for (const change of [
      () => entities.updateTopic('a', {}),
      () => entities.updateQueue('t', {}),
      () => entities.deleteQueue('x'),
      () => entities.deleteTopic('x'),
      () => entities.deleteSubscription('t', 'x'),
      () => entities.subscriptions('x'),
      () => entities.rules('t', 'x'),
    ]) {
      expect(refusal(change)).toBe('amqp:not-found');
    }
    expect([
      entities.queue('t'),
      entities.topic('a'),
      entities.subscription('x', 's'),
      entities.rule('t', 's', 'x'),
    ]).toEqual([undefined, undefined, undefined, undefined]);
    entities.deleteQueue('a');
    expect(refusal(() => entities.createTopic('a'))).toBeUndefined();
  });

  test.each(['', 'a b', '/a', 'a/', 'a//b', '$a', 'a?', '-a', 'a/Subscriptions/b', 'x'.repeat(261), 'ä'])(
    'are not called %j',
    (name) => {
      const { broker } = bench();
      expect(refusal(() => broker.entities.createQueue(name))).toBe('com.microsoft:argument-error');
      broker.entities.createTopic('t');
      if (name !== 'a/Subscriptions/b') {
        expect(refusal(() => broker.entities.createSubscription('t', name))).toBe('com.microsoft:argument-error');
      }
      expect(broker.entities.queues()).toEqual([]);
    },
  );

  test('of 50 and 260 characters are the longest', () => {
    const { broker } = bench();
    broker.entities.createTopic('x'.repeat(260));
    broker.entities.createSubscription('x'.repeat(260), 'y'.repeat(50));
    expect(refusal(() => broker.entities.createSubscription('x'.repeat(260), 'y'.repeat(51)))).toBe(
      'com.microsoft:argument-error',
    );
  });

  test.each<Partial<QueueDescription>>([
    { lockDurationMs: 4_999 },
    { lockDurationMs: 300_001 },
    { lockDurationMs: Number.NaN },
    { defaultMessageTimeToLiveMs: 0 },
    { autoDeleteOnIdleMs: 299_999 },
    { maxDeliveryCount: 0 },
    { maxDeliveryCount: 2_001 },
    { duplicateDetectionHistoryTimeWindowMs: 19_999 },
    { duplicateDetectionHistoryTimeWindowMs: 604_800_001 },
    { maxSizeInMegabytes: 1_000 },
    { maxMessageSizeInKilobytes: 257 },
    { userMetadata: 'x'.repeat(1_025) },
    { status: 'Asleep' as 'Active' },
  ])('cannot be %j', (description) => {
    const { broker } = bench();
    const outOfRange = 'com.microsoft:argument-out-of-range';
    expect(refusal(() => broker.entities.createQueue('q', description))).toBe(outOfRange);
    broker.entities.createQueue('q');
    expect(refusal(() => broker.entities.updateQueue('q', description))).toBe(outOfRange);
  });

  test('do not change what can only be said when they are created', () => {
    const { broker } = bench();
    broker.entities.createQueue('q');
    broker.entities.createTopic('t', { requiresDuplicateDetection: true });
    broker.entities.createSubscription('t', 's');
    for (const change of [
      () => broker.entities.updateQueue('q', { requiresSession: true }),
      () => broker.entities.updateQueue('q', { enablePartitioning: true }),
      () => broker.entities.updateTopic('t', { requiresDuplicateDetection: false }),
      () => broker.entities.updateSubscription('t', 's', { requiresSession: true }),
    ]) {
      expect(refusal(change)).toBe('amqp:not-allowed');
    }
    expect(refusal(() => broker.entities.updateQueue('q', { requiresSession: false }))).toBeUndefined();
  });

  test('of the Basic tier are queues without sessions, duplicate detection and forwarding', () => {
    const { broker } = bench({ tier: 'basic' });
    broker.entities.createQueue('end');
    expect(refusal(() => broker.entities.createTopic('t'))).toBe('amqp:not-allowed');
    for (const description of [
      { requiresSession: true },
      { requiresDuplicateDetection: true },
      { forwardTo: 'end' },
      { forwardDeadLetteredMessagesTo: 'end' },
    ]) {
      expect(refusal(() => broker.entities.createQueue('q', description))).toBe('amqp:not-allowed');
    }
  });

  test('of the Premium tier take larger messages, where they say so', () => {
    const { broker } = bench({ tier: 'premium' });
    broker.entities.createQueue('q');
    broker.entities.createQueue('large', { maxMessageSizeInKilobytes: 102_400 });
    const message = content({ size: 2_000_000 });
    expect(refusal(() => broker.target('q').send([message]))).toBe('amqp:link:message-size-exceeded');
    expect(broker.target('large').send([message])).toEqual([1]);
    expect(broker.target('large').maxMessageBytes).toBe(104_857_600);
  });
});

describe('a disabled entity', () => {
  test('tells its links, refuses the sides that are disabled, and goes on later', async () => {
    const { broker, send, listen } = bench();
    broker.entities.createQueue('q');
    broker.entities.createQueue('s', { requiresSession: true });
    const gone: string[] = [];
    const { source, receiver, got } = listen('q', 1);
    send('q');
    source.onGone(() => gone.push('receive'));
    broker.target('q').onGone(() => gone.push('send'));
    broker.entities.updateQueue('q', { status: 'ReceiveDisabled' });
    expect(gone).toEqual(['receive']);
    receiver.credit = 1;
    send('q', { messageId: 'while disabled' });
    expect(got).toHaveLength(1);
    expect(refusal(() => source.receive('peek-lock', () => {}))).toBe('com.microsoft:entity-disabled');
    broker.entities.updateQueue('q', { status: 'Disabled' });
    expect(gone).toEqual(['receive', 'send']);
    expect(refusal(() => send('q'))).toBe('com.microsoft:entity-disabled');
    broker.entities.updateQueue('q', { status: 'Active' });
    expect(got.at(-1)!.message.content.messageId).toBe('while disabled');
    const wait = broker.source('s').acceptSession(null, 'peek-lock', { timeoutMs: 10_000 });
    broker.entities.updateQueue('s', { status: 'ReceiveDisabled' });
    expect(await rejection(wait)).toBe('com.microsoft:entity-disabled');
  });

  test('as a subscription still gets its copies', () => {
    const { broker, send } = bench();
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 's', { status: 'ReceiveDisabled' });
    send('t', { messageId: 'a' });
    expect(idsIn(broker, 't/Subscriptions/s')).toEqual(['a']);
    expect(refusal(() => broker.source('t/Subscriptions/s').receive('peek-lock', () => {}))).toBe(
      'com.microsoft:entity-disabled',
    );
    broker.entities.updateTopic('t', { status: 'SendDisabled' });
    expect(refusal(() => send('t'))).toBe('com.microsoft:entity-disabled');
  });
});

describe('limits', () => {
  test('a full entity refuses more, until something is taken out', () => {
    const { broker, listen } = bench();
    broker.entities.createQueue('q', { maxSizeInMegabytes: 1024 });
    const batch = [content({ size: 262_144 })];
    const target = broker.target('q');
    for (let at = 0; at < 4_096; at++) target.send(batch);
    expect(refusal(() => target.send(batch))).toBe('amqp:resource-limit-exceeded');
    expect(broker.entities.queue('q')).toMatchObject({ counts: { active: 4_096 }, sizeInBytes: 1_073_741_824 });
    const { got, receiver } = listen('q', 1);
    receiver.settle(got[0]!.lockToken!, { kind: 'dead-letter' });
    expect(refusal(() => target.send(batch))).toBe('amqp:resource-limit-exceeded');
    listen('q', 1, 'receive-and-delete');
    expect(target.send(batch)).toEqual([4_097]);
  });

  test('ids, keys and properties have a longest', () => {
    const { broker } = bench();
    broker.entities.createQueue('q');
    const send = (parts: Parameters<typeof content>[0]) => refusal(() => broker.target('q').send([content(parts)]));
    const long = 'x'.repeat(129);
    for (const parts of [{ messageId: long }, { sessionId: long }, { partitionKey: long }]) {
      expect(send(parts)).toBe('com.microsoft:argument-out-of-range');
    }
    expect(send({ messageId: 'x'.repeat(128) })).toBeUndefined();
    expect(send({ sessionId: 'a', partitionKey: 'b' })).toBe('com.microsoft:argument-error');
    expect(send({ properties: { a: 'x'.repeat(32_769) }, size: 33_000 })).toBe('amqp:resource-limit-exceeded');
    const many = Object.fromEntries([1, 2, 3].map((at) => [`p${at}`, 'x'.repeat(30_000)]));
    expect(send({ properties: many, size: 91_000 })).toBe('amqp:resource-limit-exceeded');
  });

  test('a batch is not larger than the tier allows', () => {
    const { broker } = bench();
    broker.entities.createQueue('q');
    const batch = Array.from({ length: 3 }, () => content({ size: 100_000 }));
    expect(refusal(() => broker.target('q').send(batch))).toBe('amqp:link:message-size-exceeded');
    expect(idsIn(broker, 'q')).toEqual([]);
  });

  test('a batch is not larger than the tier allows where one message may be', () => {
    const { broker } = bench({ tier: 'premium' });
    broker.entities.createQueue('q', { maxMessageSizeInKilobytes: 4_096 });
    const target = broker.target('q');
    const large = () => content({ size: 600_000 });
    expect(refusal(() => target.send([large(), large()]))).toBe('amqp:link:message-size-exceeded');
    target.send([content({ size: 2_000_000 })]);
    expect(broker.counts().active).toBe(1);
  });
});

describe('billing', () => {
  test('counts each operation at the entity that was asked', () => {
    const { broker, send, listen } = bench();
    broker.entities.createTopic('t');
    for (const name of ['a', 'b']) broker.entities.createSubscription('t', name);
    send('t');
    send('t', { size: 65_537 });
    const { source, got, receiver } = listen('t/Subscriptions/a', 10);
    source.renewLocks(got.map(({ lockToken }) => lockToken!));
    source.peek(1, 10);
    receiver.settle(got[0]!.lockToken!, { kind: 'complete' });
    expect(refusal(() => receiver.settle('x', { kind: 'complete' }))).toBe('com.microsoft:message-lock-lost');
    listen('t/Subscriptions/b', 10, 'receive-and-delete');
    const numbers = broker.target('t').send([content({ scheduledAtMs: START_MS + 1 })]);
    broker.target('t').cancelScheduled(numbers);
    const byEntity = Object.fromEntries(
      [...broker.billing.byEntity()].map(([path, kinds]) => [path, Object.fromEntries(kinds)]),
    );
    expect(byEntity).toEqual({
      t: { send: 3, schedule: 2 },
      't/subscriptions/a': { receive: 3, renew: 1, peek: 1, settle: 1 },
      't/subscriptions/b': { receive: 3 },
    });
    expect(broker.billing.total).toBe(14);
  });

  test('is not lost with an entity, and does not pile up', () => {
    const { broker, send } = bench();
    for (let at = 0; at < 100; at++) {
      broker.entities.createTopic(`t${at}`);
      broker.entities.createSubscription(`t${at}`, 's');
      send(`t${at}`);
      broker.source(`t${at}/Subscriptions/s`).peek(1, 1);
      broker.entities.deleteTopic(`t${at}`);
    }
    expect(broker.billing.byEntity()).toEqual(
      new Map([
        [
          '',
          new Map([
            ['send', 100],
            ['peek', 100],
          ]),
        ],
      ]),
    );
  });
});

test('a closed namespace has no timers and takes nothing', () => {
  const { broker, clock, send, listen } = bench();
  broker.entities.createQueue('q', { autoDeleteOnIdleMs: 300_000, requiresDuplicateDetection: true });
  send('q', { ttlMs: 1_000 });
  listen('q', 1);
  const target = broker.target('q');
  broker.close();
  expect(clock.timers).toBe(0);
  expect(refusal(() => target.send([]))).toBe('amqp:not-found');
  expect(broker.counts()).toMatchObject({ entities: 0, active: 0 });
});
