import { randomUUID } from 'node:crypto';
import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidText } from '../../../src/service-bus/message/encoding/reader.ts';
import { manualClock } from '../../../src/time/manual-clock.ts';
import { type Served, serve, until } from './harness.ts';

/** What the vendor's clients, and their own tests, rely on beside what is documented. */
let served: Served;
let number = 0;

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served[Symbol.asyncDispose]());

type Description = Parameters<Served['broker']['entities']['createQueue']>[1];

function queue(description: Description = {}) {
  const name = `queue-${++number}`;
  const { entities } = served.broker;
  entities.createQueue(name, description);
  const client = served.client();
  return {
    name,
    client,
    counts: () => entities.queue(name)!.counts,
    sender: client.createSender(name),
    receiver: client.createReceiver(name),
    dead: client.createReceiver(name, { subQueueType: 'deadLetter' }),
  };
}

/** The only one. */
async function one(from: { receiveMessages(max: number): Promise<ServiceBusReceivedMessage[]> }) {
  const [message] = await from.receiveMessages(1);
  return message!;
}

/** Bytes as the client hands them out: numbered, in an object of no type. */
const bytesOf = (value: unknown) => Buffer.from(Object.values(value as Record<string, number>));
const tokenOf = (message: ServiceBusReceivedMessage) => uuidText(bytesOf(annotationsOf(message)!['x-opt-lock-token']));
const annotationsOf = ({ _rawAmqpMessage }: ServiceBusReceivedMessage) => _rawAmqpMessage.deliveryAnnotations;

describe('a received message', () => {
  it('has its lock token among the delivery annotations, beside those of its sender', async () => {
    const { sender, receiver, name, client } = queue();
    const deliveryAnnotations = { mine: 'kept', 'x-opt-lock-token': 'forged' };
    for (const properties of [{ messageId: 'a' }, {}, { messageId: 'c' }]) {
      await sender.sendMessages({ body: 'b', bodyType: 'data', properties, deliveryAnnotations });
    }
    const message = await one(receiver);
    expect(annotationsOf(message)).toMatchObject({ mine: 'kept' });
    expect(tokenOf(message)).toBe(message.lockToken);
    await receiver.deferMessage(message);
    const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber!);
    expect(tokenOf(deferred!)).toBe(deferred!.lockToken);
    // One that got its id here, and nobody's lock.
    expect(annotationsOf((await receiver.peekMessages(2))[1]!)).toEqual({ mine: 'kept' });
    const taken = await one(client.createReceiver(name, { receiveMode: 'receiveAndDelete' }));
    expect(annotationsOf(taken)).toEqual({ mine: 'kept' });
  });

  it('has the header and the sections that were sent', async () => {
    const { sender, receiver } = queue();
    const sent = {
      body: [1, 'two', { three: 3 }],
      bodyType: 'value' as const,
      header: { durable: false, firstAcquirer: false, priority: 20, timeToLive: 100_000 },
      footer: { foot: 'er' },
      messageAnnotations: { mine: 'annotation' },
      properties: { contentEncoding: 'utf-8', correlationId: 'c', messageId: 'm' },
    };
    await sender.sendMessages(sent);
    const { _rawAmqpMessage: raw } = await one(receiver);
    expect(raw).toMatchObject({ body: sent.body, bodyType: 'value', footer: sent.footer });
    expect(raw.header).toEqual({ ...sent.header, deliveryCount: 0 });
    expect(raw.messageAnnotations).toMatchObject(sent.messageAnnotations);
    expect(raw.properties).toMatchObject({ contentEncoding: 'utf-8', correlationId: 'c', messageId: 'm' });
  });

  it.each([
    ['value', 1.5],
    ['value', 'text'],
    ['value', { a: 'b' }],
    ['sequence', [1, 2, 3]],
    ['sequence', [[1], [2]]],
    ['data', Buffer.from('bytes')],
    ['data', null],
  ] as const)('has a body of the kind that was sent, also when it is sent on: %s %j', async (bodyType, body) => {
    const { sender, receiver } = queue();
    await sender.sendMessages({ bodyType, body });
    const first = await one(receiver);
    expect(first).toMatchObject({ body, _rawAmqpMessage: { bodyType } });
    await receiver.completeMessage(first);
    await sender.sendMessages(first);
    expect(await one(receiver)).toMatchObject({ body, deliveryCount: 0, _rawAmqpMessage: { bodyType } });
  });

  it('that was scheduled says so, from a queue and from a subscription', async () => {
    const clock = manualClock();
    await using later = await serve({ clock });
    const { entities } = later.broker;
    entities.createQueue('q');
    entities.createTopic('t');
    entities.createSubscription('t', 'sub');
    const client = later.client();
    const at = new Date(clock.now() + 60_000);
    for (const name of ['q', 't']) await client.createSender(name).scheduleMessages({ body: 1 }, at);
    await client.createSender('q').sendMessages({ body: 2, scheduledEnqueueTimeUtc: new Date(0) });
    const [receiver, subscription] = [client.createReceiver('q'), client.createReceiver('t', 'sub')];
    const first = await one(receiver);
    expect(first).toMatchObject({ body: 2, state: 'active' });
    await receiver.completeMessage(first);
    clock.advance(60_000);
    const arrived = { body: 1, state: 'scheduled', scheduledEnqueueTimeUtc: at, enqueuedTimeUtc: at };
    expect(await subscription.peekMessages(1)).toMatchObject([arrived]);
    for (const from of [receiver, subscription]) expect(await one(from)).toMatchObject(arrived);
  });

  it('may have an empty session id and a partition key', async () => {
    const { sender, receiver } = queue();
    await sender.sendMessages({ body: 1, sessionId: '', partitionKey: 'p' });
    expect(await one(receiver)).toMatchObject({ partitionKey: 'p' });
  });
});

describe('a deferred message', () => {
  it.each([
    ['without sessions', false, undefined],
    ['without sessions, and has a session id', false, 's'],
    ['with sessions', true, 's'],
  ] as const)('counts each deferral, in a queue %s', async (_where, requiresSession, sessionId) => {
    const { client, name, sender, receiver: plain, counts, dead } = queue({ requiresSession });
    const receiver = requiresSession ? await client.acceptSession(name, 's') : plain;
    await sender.sendMessages({ body: 'b', messageId: 'm', ...(sessionId === undefined ? {} : { sessionId }) });
    const message = await one(receiver);
    expect(message.deliveryCount).toBe(0);
    const again = async () => (await receiver.receiveDeferredMessages(message.sequenceNumber!))[0]!;
    await receiver.deferMessage(message);
    const first = await again();
    expect(first).toMatchObject({ deliveryCount: 1, state: 'deferred' });
    await receiver.abandonMessage(first, { changed: 'once' });
    const second = await again();
    expect(second).toMatchObject({ deliveryCount: 2, applicationProperties: { changed: 'once' } });
    await receiver.deferMessage(second, { changed: 'twice' });
    const third = await again();
    expect(third).toMatchObject({ deliveryCount: 3, applicationProperties: { changed: 'twice' } });
    await receiver.deadLetterMessage(third, { deadLetterReason: 'r', deadLetterErrorDescription: 'd', more: 1 });
    expect(counts()).toMatchObject({ active: 0, deadLettered: 1 });
    expect(await one(dead)).toMatchObject({
      deliveryCount: 3,
      deadLetterReason: 'r',
      applicationProperties: { more: 1 },
    });
  });

  it('ends among the dead letters when it was deferred too often', async () => {
    const { sender, receiver, dead, counts } = queue({ maxDeliveryCount: 2 });
    await sender.sendMessages({ body: 'b' });
    const message = await one(receiver);
    await receiver.deferMessage(message);
    const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber!);
    await receiver.deferMessage(deferred!);
    expect(counts()).toMatchObject({ active: 0, deadLettered: 1 });
    expect(await one(dead)).toMatchObject({ deliveryCount: 2, deadLetterReason: 'MaxDeliveryCountExceeded' });
  });
});

describe('a dead letter', () => {
  it('counts no deliveries, whatever becomes of them', async () => {
    const { sender, receiver, dead, counts } = queue();
    await sender.sendMessages({ body: 'b', sessionId: 's' });
    await receiver.abandonMessage(await one(receiver));
    await receiver.deadLetterMessage(await one(receiver));
    await dead.abandonMessage(await one(dead));
    const message = await one(dead);
    expect(message.deliveryCount).toBe(1);
    await dead.deferMessage(message);
    const [deferred] = await dead.receiveDeferredMessages(message.sequenceNumber!);
    expect(deferred).toMatchObject({ deliveryCount: 1, sessionId: 's' });
    await dead.completeMessage(deferred!);
    expect(counts()).toMatchObject({ active: 0, deadLettered: 0 });
    await sender.sendMessages({ body: 'b' });
    await receiver.deadLetterMessage(await one(receiver));
    await expect(dead.deadLetterMessage(await one(dead))).rejects.toMatchObject({ code: 'GeneralError' });
  });
});

describe('what is not there', () => {
  const wanted = (client: ServiceBusClient, path: string) =>
    expect.objectContaining({
      code: 'MessagingEntityNotFound',
      message: expect.stringContaining(
        `The messaging entity 'sb://${client.fullyQualifiedNamespace}/${path}' could not be found.`,
      ),
    });

  it('is named by host and whole path', async () => {
    served.broker.entities.createTopic('here');
    const client = served.client();
    await expect(client.createReceiver('None').receiveMessages(1)).rejects.toEqual(wanted(client, 'None'));
    await expect(client.createSender('none').sendMessages({ body: 1 })).rejects.toEqual(wanted(client, 'none'));
    await expect(client.createReceiver('no', 'sub').receiveMessages(1)).rejects.toEqual(
      wanted(client, 'no/Subscriptions/sub'),
    );
    await expect(client.createReceiver('here', 'sub').peekMessages(1)).rejects.toEqual(
      wanted(client, 'here/Subscriptions/sub'),
    );
  });

  it('is told of a stream of messages, too', async () => {
    const client = served.client();
    const errors: unknown[] = [];
    const receiver = client.createReceiver('none');
    receiver.subscribe({
      processMessage: async () => {},
      processError: async ({ error }) => void errors.push(error),
    });
    await until(() => errors.length > 0);
    await receiver.close();
    expect(errors[0]).toEqual(wanted(client, 'none'));
  });
});

it.each(['AMQPS', 'https', 'CheeseBurger'])('any scheme may stand before the endpoint: %s', async (scheme) => {
  const { name } = queue();
  const client = new ServiceBusClient(served.connectionString().replace('sb:', `${scheme}:`));
  try {
    await client.createSender(name).sendMessages({ body: 1 });
    const receiver = client.createReceiver(name);
    await receiver.completeMessage(await one(receiver));
    expect(await receiver.peekMessages(1)).toEqual([]);
  } finally {
    await client.close();
  }
});

describe('rules', () => {
  it('come back by name, each with all that it was made of', async () => {
    const { entities } = served.broker;
    entities.createTopic('ruled');
    entities.createSubscription('ruled', 'sub');
    const manager = served.client().createRuleManager('ruled', 'sub');
    await manager.createRule('sql', { sqlExpression: 'price > 10' });
    const correlation = {
      correlationId: 'c',
      subject: 'l',
      messageId: 'm',
      replyTo: 'r',
      replyToSessionId: 'rs',
      sessionId: 's',
      to: 't',
      applicationProperties: { text: 'x', number: 2, yes: true, at: new Date('2000-01-01') },
    };
    await manager.createRule('correlation', correlation, { sqlExpression: "Set CorrelationId = 'new'" });
    const pages: string[][] = [];
    for await (const page of manager.listRules().byPage({ maxPageSize: 1 })) pages.push(page.map(({ name }) => name));
    expect(pages).toEqual([['$Default'], ['correlation'], ['sql']]);
    const rules = [];
    for await (const rule of manager.listRules()) rules.push(rule);
    expect(rules[0]!.action).toEqual({});
    expect(rules[1]).toMatchObject({ filter: correlation, action: { sqlExpression: "Set CorrelationId = 'new'" } });
    expect(rules[2]).toMatchObject({ filter: { sqlExpression: 'price > 10' } });
    await expect(manager.createRule('sql', correlation)).rejects.toThrow(
      /The messaging entity '.*sql' already exists\./,
    );
  });
});

describe('sessions', () => {
  it('keep state and messages for the next that accepts them', async () => {
    const { client, name, sender } = queue({ requiresSession: true });
    const first = await client.acceptSession(name, 's');
    await sender.sendMessages({ body: 1, sessionId: 's', partitionKey: 's' });
    await first.abandonMessage(await one(first));
    await first.setSessionState('state');
    await first.close();
    const second = await client.acceptNextSession(name);
    expect(second.sessionId).toBe('s');
    expect(await second.getSessionState()).toBe('state');
    expect(await second.peekMessages(5)).toMatchObject([{ deliveryCount: 1, sessionId: 's' }]);
    await second.setSessionState('');
    expect(await second.getSessionState()).toBe('');
    await second.completeMessage(await one(second));
    expect(await second.peekMessages(1)).toEqual([]);
  });

  it('are refused where there are none, and needed where there are', async () => {
    const without = queue();
    await expect(without.client.acceptSession(without.name, randomUUID())).rejects.toThrow(/session/i);
    await without.sender.sendMessages({ body: 1, sessionId: 's' });
    await without.receiver.completeMessage(await one(without.receiver));
    const needed = queue({ requiresSession: true });
    await expect(needed.sender.sendMessages({ body: 1 })).rejects.toThrow(/session/i);
  });
});

describe('a batch', () => {
  it('sent twice arrives twice; nothing at all may be sent, scheduled and cancelled', async () => {
    const { sender, receiver, counts } = queue();
    const batch = await sender.createMessageBatch();
    for (const body of [1, 2]) batch.tryAddMessage({ body });
    await sender.sendMessages(batch);
    await sender.sendMessages(batch);
    expect(counts().active).toBe(4);
    expect(await sender.scheduleMessages([], new Date())).toEqual([]);
    await sender.cancelScheduledMessages([]);
    expect(await receiver.receiveDeferredMessages([])).toEqual([]);
  });

  it('of a message per session reaches each of them', async () => {
    const { client, name, sender } = queue({ requiresSession: true });
    const batch = await sender.createMessageBatch();
    for (const id of ['a', 'b']) batch.tryAddMessage({ body: id, sessionId: id, partitionKey: id });
    await sender.sendMessages(batch);
    for (const id of ['b', 'a']) expect(await one(await client.acceptSession(name, id))).toMatchObject({ body: id });
  });

  it.each([0, 2_000, 200_000])(
    'is taken as full as a client makes it, without ids: bodies of %i bytes',
    async (size) => {
      const { sender, counts } = queue();
      const batch = await sender.createMessageBatch();
      while (batch.tryAddMessage({ body: Buffer.alloc(size) }));
      await sender.sendMessages(batch);
      expect(counts().active).toBe(batch.count);
      await sender.sendMessages({ body: Buffer.alloc(262_144 - 40) });
      expect(counts().active).toBe(batch.count + 1);
    },
  );

  it('that is too large is refused as a whole', async () => {
    const { sender, counts } = queue();
    const half = { body: Buffer.alloc(131_072) };
    await expect(sender.sendMessages([half, half])).rejects.toMatchObject({ code: 'MessageSizeExceeded' });
    await expect(sender.sendMessages({ body: Buffer.alloc(262_144) })).rejects.toMatchObject({
      code: 'MessageSizeExceeded',
    });
    expect(counts().active).toBe(0);
  });
});

it('a message of the past is enqueued at once, whatever schedules it', async () => {
  const { sender, receiver } = queue();
  const [sequenceNumber] = await sender.scheduleMessages({ body: 1 }, new Date('2020-04-25'));
  expect(await one(receiver)).toMatchObject({ sequenceNumber, state: 'active' });
});

it('duplicates are found by an id of any type', async () => {
  const { sender, receiver } = queue({ requiresDuplicateDetection: true });
  // The client writes it as a UUID.
  const messageId = Buffer.alloc(16, 7);
  for (let at = 0; at < 3; at++) await sender.sendMessages({ body: at, messageId });
  expect(await receiver.peekMessages(5)).toMatchObject([{ body: 0 }]);
});
