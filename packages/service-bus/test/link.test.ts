import { ServiceBusClient } from '@azure/service-bus';
import type { PolycastError } from '@polycast/core';
import { describe, expect, it, vi } from 'vitest';
import { topicName } from '../src/names.ts';
import { freshTopic, useService } from './service.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const service = useService();
const metered = (...all: { metered: Readonly<Record<string, number>> }[]) =>
  all.reduce((sum, { metered: units }) => sum + (units.operations ?? 0), 0);

describe('on the service', () => {
  it('a subscription takes what is for it, and not what its own link sent', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const kitchen = await service.join(topic, 'kitchen/k1');
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push(event.data));
    const [plain] = service.subscriptions(topic);
    expect(plain?.description).toMatchObject({
      autoDeleteOnIdleMs: 300_000,
      maxDeliveryCount: 2_000,
      lockDurationMs: 300_000,
    });
    await kitchen.publish({ type: 'order', data: 'own' });
    await desk.publish({ type: 'order', data: 'bar' }, { to: 'role:bar' });
    await desk.publish({ type: 'order', data: 'list' }, { to: ['role:bar', 'instance:k1'] });
    await kitchen.publish({ type: 'order', data: 'copy' }, { carbonCopy: true });
    await vi.waitFor(() => expect(seen).toEqual(['list', 'copy']));
    const received = [...service.service.counts().billed].filter(([path]) => path.startsWith(`${topic}/`));
    expect(received.map(([, kinds]) => kinds.get('receive'))).toEqual([2]);
    expect(kitchen.signals).toEqual([]);
  });

  it('a dead letter is where the service keeps it, with its reason', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const kitchen = await service.join(topic, 'kitchen/k1');
    await kitchen.subscribe((_, delivery) => delivery.reject('burnt'), { durable: 'menu' });
    await desk.publish({ type: 'order', data: 'x' });
    await vi.waitFor(() =>
      expect(kitchen.signals).toMatchObject([{ kind: 'dead-lettered', reason: 'burnt', kept: topic }]),
    );
    const [{ name } = { name: '' }] = service.subscriptions(topic).filter((one) => one.name.startsWith('durable.'));
    const client = new ServiceBusClient(service.service.connectionString);
    const [letter] = await client.createReceiver(topic, name, { subQueueType: 'deadLetter' }).receiveMessages(1);
    expect(letter).toMatchObject({ deadLetterReason: 'burnt', body: 'x' });
    await client.close();
  });

  it('anybody can write to the topic, and read what is written there', async () => {
    const topic = freshTopic();
    const kitchen = await service.join(topic, 'kitchen');
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push([event.type, event.data, event.region]));
    const client = new ServiceBusClient(service.service.connectionString);
    const sender = client.createSender(topic);
    await sender.sendMessages([
      {
        subject: 'order.placed',
        body: { dish: 'soup' },
        contentType: 'application/json',
        applicationProperties: { region: 'west' },
      },
      { body: 'just text' },
      {
        body: { n: 1 },
        contentType: 'application/json',
        applicationProperties: {
          'cloudEvents:specversion': '1.0',
          'cloudEvents:id': '1',
          'cloudEvents:source': '/x',
          'cloudEvents:type': 'theirs',
        },
      },
    ]);
    await vi.waitFor(() =>
      expect(seen).toEqual([
        ['order.placed', { dish: 'soup' }, 'west'],
        ['com.microsoft.servicebus.message', 'just text', undefined],
        ['theirs', { n: 1 }, undefined],
      ]),
    );
    await client.close();
  });
});

describe('sending', () => {
  it('keeps the order of single events and batches, at whatever pace they come', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const kitchen = await service.join(topic, 'kitchen');
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push(event.data));
    const sent: Promise<void>[] = [];
    let next = 0;
    for (let round = 0; round < 60; round++) {
      for (let n = 0; n <= round % 7; n++) sent.push(desk.publish({ type: 'order', data: next++ }));
      if (round % 3 === 0) await sent.at(-1);
      else if (round % 3 === 1) await Promise.resolve();
    }
    await Promise.all(sent);
    await vi.waitFor(() => expect(seen).toEqual(numbers(next)));
  });

  it('splits what does not fit in one transfer', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk', { maxMessageBytes: 1_048_576 });
    const kitchen = await service.join(topic, 'kitchen');
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push((event.data as string).length));
    const outcomes = await Promise.allSettled(
      [100_000, 150_000, 100, 400_000, 200_000].map((length) =>
        desk.publish({ type: 'order', data: 'x'.repeat(length) }),
      ),
    );
    // The namespace is Standard, whatever the options say: it takes 256 KB.
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect((outcomes[3] as PromiseRejectedResult).reason).toMatchObject({ code: 'payload-too-large' });
    await vi.waitFor(() => expect(seen).toEqual([100_000, 150_000, 100, 200_000]));
  });

  it('sends a burst in few transfers', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const { native } = desk as unknown as {
      native: { _connectionContext: { senders: Record<string, { link: { send: unknown } }> } };
    };
    const link = Object.values(native._connectionContext.senders)[0]?.link as { send: (...args: unknown[]) => unknown };
    const send = vi.spyOn(link, 'send');
    await Promise.all(numbers(1_000).map((n) => desk.publish({ type: 'order', data: n })));
    expect(send.mock.calls.length).toBeLessThan(12);
  });
});

describe('what is billed', () => {
  it('is what the service counts', async () => {
    const topic = freshTopic();
    const before = service.service.counts().billedOperations;
    const desk = await service.join(topic, 'desk');
    const members = [await service.join(topic, 'worker/w1'), await service.join(topic, 'worker/w2')];
    const kitchen = await service.join(topic, 'kitchen');
    let handled = 0;
    const seen: unknown[] = [];
    for (const member of members) await member.subscribe(() => void handled++, { group: 'g' });
    await kitchen.subscribe((event) => void seen.push(event.data), { filter: 'table > 1' });
    await desk.publish({ type: 'order', table: 2, data: 'x'.repeat(150_000) });
    await Promise.all(numbers(100).map((n) => desk.publish({ type: 'order', table: n % 4, data: n })));
    await desk.publish({ type: 'order', data: 'keyed' }, { partitionKey: 'k' });
    await vi.waitFor(() => expect([handled, seen.length]).toEqual([102, 51]));
    const all = [desk, kitchen, ...members];
    await Promise.all(all.map((one) => one.close()));
    expect(metered(...all)).toBe(service.service.counts().billedOperations - before);
    expect(metered(desk)).toBeGreaterThanOrEqual(3 + 100 + 1);
  });
});

describe('what is removed while it is used', () => {
  it('is made again: a subscription', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const kitchen = await service.join(topic, 'kitchen');
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push(event.data));
    service.service.broker.entities.deleteSubscription(topic, service.subscriptions(topic)[0]?.name as string);
    await vi.waitFor(() => expect(kitchen.signals).toMatchObject([{ kind: 'gap', reason: 'trimmed' }]), 5_000);
    await desk.publish({ type: 'order', data: 'after' });
    await vi.waitFor(() => expect(seen).toEqual(['after']), 5_000);
  });

  it('is made again: the topic', async () => {
    const topic = freshTopic();
    const desk = await service.join(topic, 'desk');
    const kitchen = await service.join(topic, 'kitchen');
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push(event.data));
    service.service.broker.entities.deleteTopic(topic);
    await vi.waitFor(() => expect(kitchen.signals).toMatchObject([{ kind: 'gap', reason: 'trimmed' }]), 5_000);
    await desk.publish({ type: 'order', data: 'after' });
    await vi.waitFor(() => expect(seen).toEqual(['after']), 5_000);
  });

  it('is told where it may not be made again', async () => {
    const topic = freshTopic();
    const kitchen = await service.join(topic, 'kitchen');
    await kitchen.close();
    service.service.broker.entities.createSubscription(topic, 'x');
    const bound = await service.join(topic, 'kitchen', { create: false });
    const error = await bound.subscribe(() => {}).catch((thrown: PolycastError) => thrown);
    const [, name = ''] = /subscription "([^"]+)"/.exec((error as PolycastError).message) ?? [];
    service.service.broker.entities.createSubscription(topic, name);
    await bound.subscribe(() => {});
    service.service.broker.entities.deleteSubscription(topic, name);
    await vi.waitFor(
      () => expect(bound.signals).toMatchObject([{ kind: 'failed', what: 'source', error: { code: 'not-found' } }]),
      5_000,
    );
  });
});

describe('a topic that exists', () => {
  it('must agree about duplicates', async () => {
    const topic = freshTopic();
    service.service.broker.entities.createTopic(topic);
    await expect(service.join(topic, 'desk')).rejects.toThrow(
      /exists without duplicate detection.*set duplicateDetectionMs to 0/,
    );
    const desk = await service.join(topic, 'desk', { duplicateDetectionMs: 0 });
    expect(desk.manifest.capabilities.dedupe.level).toBe('emulated');
  });

  it('may have a name that Service Bus does not take', async () => {
    const topic = `Orders~${freshTopic()}`;
    const desk = await service.join(topic, 'desk', { prefix: 'app/' });
    const kitchen = await service.join(topic, 'kitchen', { prefix: 'app/' });
    const seen: unknown[] = [];
    await kitchen.subscribe((event) => void seen.push(event.data));
    await desk.publish({ type: 'order', data: 1 });
    await vi.waitFor(() => expect(seen).toEqual([1]));
    expect(service.service.broker.entities.topic(topicName('app/', topic))).toBeDefined();
  });
});

it('bytes are sent as they were when they were published', async () => {
  const topic = freshTopic();
  const [me, other] = [await service.join(topic, 'me'), await service.join(topic, 'other')];
  const came: unknown[] = [];
  await me.subscribe(({ data }) => void came.push([...(data as Uint8Array)]));
  const bytes = new Uint8Array([1, 2, 3]);
  const published = other.publish({ type: 'x', data: bytes });
  bytes.fill(9);
  await published;
  await vi.waitFor(() => expect(came).toEqual([[1, 2, 3]]));
});
