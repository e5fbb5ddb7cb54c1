import { randomBytes } from 'node:crypto';
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serve, until } from './harness.ts';

/** Every test has a queue of its own, served by one server. */
let served: Served;
let number = 0;

beforeAll(async () => {
  served = await serve();
});
afterAll(() => served[Symbol.asyncDispose]());

function queue(description: Parameters<Served['broker']['entities']['createQueue']>[1] = {}) {
  const name = `queue-${++number}`;
  served.broker.entities.createQueue(name, description);
  const client = served.client();
  const counts = () => served.broker.entities.queue(name)!.counts;
  return { name, client, counts, sender: client.createSender(name), receiver: client.createReceiver(name) };
}

const bodies = (messages: ServiceBusReceivedMessage[]) => messages.map(({ body }) => body);

describe('the vendor’s client sends and receives', () => {
  it('a message with everything in it', async () => {
    const { sender, receiver } = queue();
    const sent = {
      body: { text: 'grüß', list: [1, 2] },
      messageId: 'm-1',
      correlationId: 'c-1',
      contentType: 'application/json',
      subject: 'label',
      to: 'there',
      replyTo: 'back',
      replyToSessionId: 'rs',
      partitionKey: 'pk',
      timeToLive: 60_000,
      applicationProperties: { text: 'x', number: 1.5, yes: true, at: new Date(1_700_000_000_000) },
    };
    await sender.sendMessages(sent);
    const [message] = await receiver.receiveMessages(1);
    expect(message).toMatchObject({
      ...sent,
      applicationProperties: { ...sent.applicationProperties, at: 1_700_000_000_000 },
      deliveryCount: 0,
      state: 'active',
    });
    expect(message!.sequenceNumber!.toNumber()).toBe(1);
    expect(message!.expiresAtUtc!.getTime() - message!.enqueuedTimeUtc!.getTime()).toBe(60_000);
    expect(message!.lockedUntilUtc!.getTime()).toBeGreaterThan(Date.now());
    await receiver.completeMessage(message!);
    expect(served.broker.entities.queue(sender.entityPath)!.counts.active).toBe(0);
  });

  it('and gets an id for a message without one', async () => {
    const { sender, receiver } = queue();
    await sender.sendMessages([{ body: 1 }, { body: 2 }]);
    const ids = (await receiver.receiveMessages(2)).map(({ messageId }) => messageId);
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });

  it('a batch that it filled', async () => {
    const { sender, receiver } = queue();
    const batch = await sender.createMessageBatch();
    let added = 0;
    while (batch.tryAddMessage({ body: 'x'.repeat(1_000), messageId: `m-${added}` })) added++;
    expect(added).toBeGreaterThan(200);
    await sender.sendMessages(batch);
    const received = new Set<unknown>();
    while (received.size < added) {
      const messages = await receiver.receiveMessages(500);
      for (const { messageId } of messages) received.add(messageId);
    }
    expect(received.size).toBe(added);
  });

  it('a message over many frames, and refuses one too large', async () => {
    await using premium = await serve({ tier: 'premium' });
    premium.broker.entities.createQueue('q', { maxMessageSizeInKilobytes: 10_240 });
    const client = premium.client();
    const [sender, receiver] = [client.createSender('q'), client.createReceiver('q')];
    const body = randomBytes(5_000_000);
    await sender.sendMessages({ body });
    const [message] = await receiver.receiveMessages(1);
    expect(Buffer.compare(message!.body as Buffer, body)).toBe(0);
    await expect(sender.sendMessages({ body: Buffer.alloc(10_485_760) })).rejects.toMatchObject({
      code: 'MessageSizeExceeded',
    });
    await sender.sendMessages({ body: 'small' });
  });

  it('many at once without a batch', async () => {
    const { name, counts } = queue();
    // The client gives up a message that finds no room within a second; a busy machine may need longer.
    const sender = served.client({ retryOptions: { maxRetries: 20, retryDelayInMs: 10 } }).createSender(name);
    await Promise.all(Array.from({ length: 3_000 }, (_, i) => sender.sendMessages({ body: i })));
    expect(counts().active).toBe(3_000);
  });

  it('by receive-and-delete', async () => {
    const { name, client, sender, counts } = queue();
    await sender.sendMessages([{ body: 1 }, { body: 2 }]);
    const receiver = client.createReceiver(name, { receiveMode: 'receiveAndDelete' });
    expect(bodies(await receiver.receiveMessages(2))).toEqual([1, 2]);
    expect(counts().active).toBe(0);
  });

  it('whatever comes, by subscribing', async () => {
    const { sender, receiver, counts } = queue();
    const seen: unknown[] = [];
    const subscription = receiver.subscribe({
      processMessage: async ({ body }) => void seen.push(body),
      processError: async ({ error }) => void seen.push(error),
    });
    for (let i = 0; i < 20; i++) await sender.sendMessages({ body: i });
    await until(() => seen.length === 20);
    await until(() => counts().active === 0);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
    await subscription.close();
  });

  it('waits as long as it says, and drains', async () => {
    const { sender, receiver } = queue();
    expect(await receiver.receiveMessages(10, { maxWaitTimeInMs: 50 })).toEqual([]);
    await sender.sendMessages({ body: 'after a drain' });
    expect(bodies(await receiver.receiveMessages(10, { maxWaitTimeInMs: 5_000 }))).toEqual(['after a drain']);
  });
});

describe('the vendor’s client settles', () => {
  const settled = async (act: 'abandonMessage' | 'deferMessage' | 'completeMessage' | 'deadLetterMessage') => {
    const made = queue();
    await made.sender.sendMessages({ body: 'b', messageId: 'm', applicationProperties: { before: 'kept', n: 1 } });
    const [message] = await made.receiver.receiveMessages(1);
    if (act === 'deadLetterMessage') {
      await made.receiver.deadLetterMessage(message!, {
        deadLetterReason: 'reason',
        deadLetterErrorDescription: 'description',
        added: 'by dead-letter',
      });
    } else if (act === 'completeMessage') await made.receiver.completeMessage(message!);
    else await made.receiver[act](message!, { added: 7, n: 2 });
    return { ...made, message: message! };
  };

  it('by abandoning, with properties changed', async () => {
    const { receiver } = await settled('abandonMessage');
    const [again] = await receiver.receiveMessages(1);
    expect(again).toMatchObject({ deliveryCount: 1, applicationProperties: { before: 'kept', added: 7, n: 2 } });
  });

  it('by deferring, and receives by number', async () => {
    const { receiver, message, counts } = await settled('deferMessage');
    expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 20 })).toEqual([]);
    const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber!);
    expect(deferred).toMatchObject({ body: 'b', state: 'deferred', applicationProperties: { added: 7 } });
    expect(deferred!.lockToken).toMatch(/^[0-9a-f-]{36}$/);
    await receiver.completeMessage(deferred!);
    expect(counts().active).toBe(0);
    await expect(receiver.receiveDeferredMessages(message.sequenceNumber!)).rejects.toMatchObject({
      code: 'MessageNotFound',
    });
  });

  it('by dead-lettering', async () => {
    const { client, name } = await settled('deadLetterMessage');
    const [dead] = await client.createReceiver(name, { subQueueType: 'deadLetter' }).receiveMessages(1);
    expect(dead).toMatchObject({
      deadLetterReason: 'reason',
      deadLetterErrorDescription: 'description',
      applicationProperties: { added: 'by dead-letter' },
    });
  });

  it.each([
    ['completeMessage', { active: 0, deadLettered: 0 }],
    ['abandonMessage', { active: 1, deadLettered: 0 }],
    ['deadLetterMessage', { active: 0, deadLettered: 1 }],
  ] as const)('%s through $management when its link is gone', async (act, expected) => {
    const { client, name, sender, receiver, counts } = queue();
    await sender.sendMessages({ body: 'b' });
    const [message] = await receiver.receiveMessages(1);
    await receiver.close();
    await client.createReceiver(name)[act](message!);
    expect(counts()).toMatchObject(expected);
  });

  it('too late, and is told so', async () => {
    const { sender, receiver } = queue({ lockDurationMs: 5_000 });
    await sender.sendMessages({ body: 'b' });
    const [message] = await receiver.receiveMessages(1);
    served.broker.source(sender.entityPath).settle(message!.lockToken!, { kind: 'complete' });
    await expect(receiver.completeMessage(message!)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await expect(receiver.renewMessageLock(message!)).rejects.toMatchObject({ code: 'MessageLockLost' });
  });

  it('a renewed lock', async () => {
    const { sender, receiver } = queue();
    await sender.sendMessages({ body: 'b' });
    const [message] = await receiver.receiveMessages(1);
    const before = message!.lockedUntilUtc!.getTime();
    await until(() => Date.now() > before - 60_000 + 5);
    expect((await receiver.renewMessageLock(message!)).getTime()).toBeGreaterThan(before);
  });
});

describe('the vendor’s client asks $management', () => {
  it('to peek, from where it stopped and from a number', async () => {
    const { sender, receiver } = queue();
    expect(await receiver.peekMessages(1)).toEqual([]);
    await sender.sendMessages([{ body: 1 }, { body: 2 }, { body: 3 }]);
    const [, second] = await receiver.peekMessages(2);
    expect(second!.body).toBe(2);
    expect(bodies(await receiver.peekMessages(5))).toEqual([3]);
    const fromSequenceNumber = second!.sequenceNumber!;
    expect(bodies(await receiver.peekMessages(5, { fromSequenceNumber }))).toEqual([2, 3]);
  });

  it('to schedule, peek at and cancel', async () => {
    const { sender, receiver, counts } = queue();
    const at = new Date(Date.now() + 3_600_000);
    const [first, second] = await sender.scheduleMessages([{ body: 1 }, { body: 2 }], at);
    expect(counts().scheduled).toBe(2);
    const [peeked] = await receiver.peekMessages(1);
    expect(peeked).toMatchObject({ state: 'scheduled', scheduledEnqueueTimeUtc: at });
    await sender.cancelScheduledMessages([first!, second!]);
    expect(counts().scheduled).toBe(0);
    await expect(sender.cancelScheduledMessages(first!)).rejects.toMatchObject({ code: 'MessageNotFound' });
  });

  it('to add, list and remove rules', async () => {
    served.broker.entities.createTopic('rules');
    served.broker.entities.createSubscription('rules', 'sub');
    const manager = served.client().createRuleManager('rules', 'sub');
    await manager.deleteRule('$Default');
    await manager.createRule('sql', { sqlExpression: 'n > 1' }, { sqlExpression: "SET seen = 'yes'" });
    await manager.createRule('correlation', { subject: 'x', applicationProperties: { k: 'v' } });
    const rules = [];
    for await (const rule of manager.listRules()) rules.push(rule);
    expect(rules).toMatchObject([
      { name: 'correlation', filter: { subject: 'x', applicationProperties: { k: 'v' } } },
      { name: 'sql', filter: { sqlExpression: 'n > 1' }, action: { sqlExpression: "SET seen = 'yes'" } },
    ]);
    await expect(manager.createRule('sql', { sqlExpression: '1=1' })).rejects.toMatchObject({
      code: 'MessagingEntityAlreadyExists',
    });
    await expect(manager.createRule('bad', { sqlExpression: 'n >' })).rejects.toThrow();
    await expect(manager.deleteRule('none')).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
  });
});

describe('the vendor’s client uses sessions', () => {
  it('by name, one receiver at a time', async () => {
    const { client, name, sender } = queue({ requiresSession: true });
    await sender.sendMessages([
      { body: 1, sessionId: 'a' },
      { body: 2, sessionId: 'b' },
      { body: 3, sessionId: 'a' },
    ]);
    const a = await client.acceptSession(name, 'a');
    expect(a.sessionId).toBe('a');
    expect(a.sessionLockedUntilUtc.getTime()).toBeGreaterThan(Date.now());
    expect(bodies(await a.receiveMessages(2))).toEqual([1, 3]);
    await expect(client.acceptSession(name, 'a')).rejects.toMatchObject({ code: 'SessionCannotBeLocked' });
    await a.close();
    await (await client.acceptSession(name, 'a')).close();
  });

  it('by what is free, until nothing is', async () => {
    const made = queue({ requiresSession: true });
    const client = served.client({ retryOptions: { maxRetries: 0, timeoutInMs: 500 } });
    await made.sender.sendMessages([{ body: 1, sessionId: 'only' }]);
    const session = await client.acceptNextSession(made.name);
    expect(session.sessionId).toBe('only');
    await expect(client.acceptNextSession(made.name)).rejects.toMatchObject({ code: 'ServiceTimeout' });
  });

  it('that come free while it waits', async () => {
    const { client, name, sender } = queue({ requiresSession: true });
    const waiting = client.acceptNextSession(name);
    await sender.sendMessages({ body: 1, sessionId: 'late' });
    expect((await waiting).sessionId).toBe('late');
  });

  it('with state, renewal and settlement', async () => {
    const { client, name, sender, counts } = queue({ requiresSession: true });
    await sender.sendMessages({ body: 1, sessionId: 's' });
    const session = await client.acceptSession(name, 's');
    expect(await session.getSessionState()).toBeNull();
    await session.setSessionState({ step: 1 });
    expect(await session.getSessionState()).toEqual({ step: 1 });
    expect((await session.renewSessionLock()).getTime()).toBeGreaterThan(Date.now());
    const [message] = await session.receiveMessages(1);
    expect(bodies(await session.peekMessages(1))).toEqual([1]);
    await session.deferMessage(message!);
    const [deferred] = await session.receiveDeferredMessages(message!.sequenceNumber!);
    await session.completeMessage(deferred!);
    expect(counts().active).toBe(0);
  });

  it('and nothing else where they are required', async () => {
    const { sender, receiver } = queue({ requiresSession: true });
    await expect(sender.sendMessages({ body: 'no session' })).rejects.toThrow(/session/i);
    await expect(receiver.receiveMessages(1)).rejects.toThrow(/session/i);
  });
});

describe('the vendor’s client on topics', () => {
  it('gets a copy in each subscription whose rules match', async () => {
    served.broker.entities.createTopic('topic');
    for (const [name, expression] of [
      ['all', '1=1'],
      ['some', "kind = 'a'"],
    ] as const) {
      served.broker.entities.createSubscription('topic', name, {}, { name: 'r', filter: { kind: 'sql', expression } });
    }
    const client = served.client();
    const sender = client.createSender('topic');
    await sender.sendMessages([
      { body: 1, applicationProperties: { kind: 'a' } },
      { body: 2, applicationProperties: { kind: 'b' } },
    ]);
    expect(bodies(await client.createReceiver('topic', 'all').receiveMessages(2))).toEqual([1, 2]);
    expect(bodies(await client.createReceiver('topic', 'some').receiveMessages(1))).toEqual([1]);
  });
});

describe('the vendor’s client is refused', () => {
  it('what is not there', async () => {
    const client = served.client();
    await expect(client.createSender('none').sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
    await expect(client.createReceiver('none').receiveMessages(1)).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
    await expect(client.createReceiver('none').peekMessages(1)).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
  });

  it('with a wrong key, or without the right', async () => {
    const { name } = queue();
    const wrong = served.client({}, 'root', 'bm90IHRoZSBrZXk=');
    await expect(wrong.createSender(name).sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'UnauthorizedAccess',
    });
    const listener = served.client({}, 'listener');
    await expect(listener.createSender(name).sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'UnauthorizedAccess',
    });
    const sender = served.client({}, 'sender');
    await sender.createSender(name).sendMessages({ body: 1 });
    await expect(sender.createReceiver(name).receiveMessages(1)).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
    await expect(sender.createReceiver(name).peekMessages(1)).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
  });

  it('what is deleted or disabled while it is in use', async () => {
    const { name, receiver, sender } = queue();
    await sender.sendMessages({ body: 1 });
    const errors: string[] = [];
    receiver.subscribe({
      processMessage: async () => {},
      processError: async ({ error }) => void errors.push((error as { code?: string }).code ?? error.message),
    });
    await until(() => served.broker.entities.queue(name)!.counts.active === 0);
    served.broker.entities.updateQueue(name, { status: 'ReceiveDisabled' });
    await until(() => errors.includes('MessagingEntityDisabled'));
    served.broker.entities.deleteQueue(name);
    // A round trip: then the client knows that its sender is detached, too.
    await expect(receiver.peekMessages(1)).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
    await expect(sender.sendMessages({ body: 2 })).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
  });
});

describe('the vendor’s client comes back', () => {
  it('when the service restarts, and when connections are cut', async () => {
    const { name } = queue();
    const client = served.client({ retryOptions: { maxRetries: 20, retryDelayInMs: 10, timeoutInMs: 500 } });
    const sender = client.createSender(name);
    const seen: unknown[] = [];
    client.createReceiver(name).subscribe({
      processMessage: async ({ body }) => void seen.push(body),
      processError: async () => {},
    });
    await sender.sendMessages({ body: 1 });
    await until(() => seen.includes(1));
    // Those of now: the client may be back before anybody looks.
    const closed = [...served.sockets];
    served.server.closeAll();
    await until(() => closed.every((socket) => socket.closed));
    await sender.sendMessages({ body: 2 });
    await until(() => seen.includes(2));
    const cut = [...served.sockets];
    for (const socket of cut) socket.destroy();
    await until(() => cut.every(({ closed }) => closed));
    await sender.sendMessages({ body: 3 });
    await until(() => seen.includes(3));
  });
});
