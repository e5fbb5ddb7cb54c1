import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Served, serve } from './harness.ts';

/** Lines of DEVIATIONS.md that no other test shows with the vendor's client. */
let served: Served;
let entities: Served['broker']['entities'];

beforeAll(async () => {
  served = await serve();
  ({ entities } = served.broker);
});
afterAll(() => served[Symbol.asyncDispose]());

beforeEach(() => {
  for (const { path } of entities.queues()) entities.deleteQueue(path);
  for (const { path } of entities.topics()) entities.deleteTopic(path);
  entities.createQueue('q');
});

const together = (count: number, send: () => Promise<void>) =>
  Promise.allSettled(Array.from({ length: count }, send)).then((all) =>
    all.map((one) => (one.status === 'fulfilled' ? 'sent' : one.reason.code)),
  );

describe('the vendor’s client', () => {
  it('is refused one by one what was under way when the queue went', async () => {
    const sender = served.client().createSender('q');
    // Attaches the link, so that all of them are under way together.
    await sender.createMessageBatch();
    const { broker } = served;
    broker.source('q').receive('receive-and-delete', () => entities.deleteQueue('q')).credit = 1;
    const outcomes = await together(50, () => sender.sendMessages({ body: 'x' }));
    expect(outcomes).toEqual(['sent', ...Array(49).fill('MessagingEntityNotFound')]);
  });

  it('sees no partition and no offset', async () => {
    const client = served.client();
    await client.createSender('q').sendMessages({ body: 'x' });
    const [message] = await client.createReceiver('q').receiveMessages(1);
    expect(Object.keys(message!._rawAmqpMessage.messageAnnotations ?? {}).sort()).toEqual([
      'x-opt-enqueue-sequence-number',
      'x-opt-enqueued-time',
      'x-opt-locked-until',
      'x-opt-sequence-number',
    ]);
  });

  it('gets numbers without a partition from a partitioned queue', async () => {
    entities.createQueue('partitioned', { enablePartitioning: true });
    const client = served.client();
    await client.createSender('partitioned').sendMessages([
      { body: 1, partitionKey: 'a' },
      { body: 2, partitionKey: 'a' },
    ]);
    const messages = await client.createReceiver('partitioned').receiveMessages(2);
    expect(messages.map(({ sequenceNumber }) => sequenceNumber!.toString())).toEqual(['1', '2']);
  });

  it('changes rules with the right to listen', async () => {
    entities.createTopic('t');
    entities.createSubscription('t', 's');
    await served.client({}, 'listener').createRuleManager('t', 's').deleteRule('$Default');
    expect(entities.rules('t', 's')).toEqual([]);
    await expect(
      served.client({}, 'sender').createRuleManager('t', 's').createRule('r', { sqlExpression: '1=1' }),
    ).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
  });

  it('is told no more by a peek than a batch may hold', async () => {
    const client = served.client();
    const sender = client.createSender('q');
    for (let at = 0; at < 5; at++) await sender.sendMessages({ body: Buffer.alloc(100_000) });
    const receiver = client.createReceiver('q');
    expect(await receiver.peekMessages(5)).toHaveLength(2);
    // And goes on from there.
    expect(await receiver.peekMessages(5)).toHaveLength(2);
    expect(await receiver.peekMessages(5)).toHaveLength(1);
  });

  it('sends what rules cannot tell by numbers that the broker gives', async () => {
    entities.createTopic('t');
    for (const [name, expression] of [
      ['later', 'sys.SequenceNumber IS NULL AND sys.EnqueuedTimeUtc IS NULL'],
      ['now', 'sys.SequenceNumber >= 0'],
    ] as const) {
      entities.createSubscription('t', name, {}, { name: 'r', filter: { kind: 'sql', expression } });
    }
    await served.client().createSender('t').sendMessages({ body: 'x' });
    expect(['later', 'now'].map((name) => entities.subscription('t', name)!.counts.active)).toEqual([1, 0]);
  });
});
