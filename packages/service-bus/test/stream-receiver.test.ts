import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus';
import { describe, expect, it, vi } from 'vitest';
import { asReceived, LinkMessage, type RheaDelivery, type RheaMessage } from '../src/sdk-internals/link-message.ts';
import { StreamReceiver } from '../src/sdk-internals/stream-receiver.ts';
import { freshTopic, useService } from './service.ts';

/** What of the SDK's receiver is looked at, and what its service would answer. */
function fakeReceiver() {
  const stream = {
    link: { isOpen: vi.fn(() => true), addCredit: vi.fn() },
    _receiverHelper: { isSuspended: vi.fn(() => false) },
    _deliveryDispositionMap: new Map<number, { resolve(): void; reject(error: unknown): void }>(),
    _onAmqpMessage: async (_: { message: RheaMessage; delivery: RheaDelivery }) => {},
  };
  let attached = async () => {};
  const receiver = {
    _streamingReceiver: stream,
    _context: { getReceiverFromCache: (name: string) => (name === 'link-1' ? stream : undefined) },
    subscribe(handlers: { postInitialize(): Promise<void> }) {
      attached = handlers.postInitialize;
      return { close: async () => {} };
    },
    completeMessage: vi.fn(async () => {}),
  };
  return { stream, receiver: receiver as unknown as ServiceBusReceiver & typeof receiver, attach: () => attached() };
}

const delivery = (more: Partial<RheaDelivery> = {}) => ({
  id: 3,
  tag: Buffer.alloc(16),
  link: { name: 'link-1' },
  accept: vi.fn(),
  ...more,
});

function subscribed(onMessage: (message: ServiceBusReceivedMessage) => void | Promise<void> = () => {}) {
  const fake = fakeReceiver();
  const receiver = new StreamReceiver(fake.receiver);
  const onAttached = vi.fn();
  receiver.subscribe({ onMessage, onError: async () => {}, onAttached });
  return { ...fake, streamReceiver: receiver, onAttached };
}

describe('what streams from the SDK', () => {
  it('gives a credit for a message that was taken, and later for one that has to wait', async () => {
    let roomFor = () => {};
    const room = new Promise<void>((resolve) => {
      roomFor = resolve;
    });
    const answers = [undefined, room];
    const { stream } = subscribed(() => answers.shift());
    await stream._onAmqpMessage({ message: {}, delivery: delivery() });
    expect(stream.link.addCredit).toHaveBeenCalledTimes(1);
    const second = stream._onAmqpMessage({ message: {}, delivery: delivery() });
    expect(stream.link.addCredit).toHaveBeenCalledTimes(1);
    roomFor();
    await second;
    expect(stream.link.addCredit).toHaveBeenCalledTimes(2);
  });

  it('gives none for what came over a link that was replaced while it had to wait', async () => {
    let roomFor = () => {};
    const room = new Promise<void>((resolve) => {
      roomFor = resolve;
    });
    const { stream } = subscribed(() => room);
    const taken = stream._onAmqpMessage({ message: {}, delivery: delivery() });
    const next = { isOpen: () => true, addCredit: vi.fn() };
    (stream as { link: unknown }).link = next;
    roomFor();
    await taken;
    expect(next.addCredit).not.toHaveBeenCalled();
  });

  it('gives none once it was stopped, and hands on nothing of a closed link', async () => {
    const onMessage = vi.fn();
    const { stream } = subscribed(onMessage);
    stream._receiverHelper.isSuspended.mockReturnValue(true);
    await stream._onAmqpMessage({ message: {}, delivery: delivery() });
    expect(stream.link.addCredit).not.toHaveBeenCalled();
    stream.link.isOpen.mockReturnValue(false);
    await stream._onAmqpMessage({ message: {}, delivery: delivery() });
    expect(onMessage).toHaveBeenCalledTimes(1);
  });

  it('hands what is thrown to the SDK, and not to the connection', async () => {
    const { stream } = subscribed(() => {
      throw new Error('ours');
    });
    const answer = stream._onAmqpMessage({ message: {}, delivery: delivery() });
    await expect(answer).rejects.toThrow('ours');
  });

  it('is accepted when the service says so, and not before', async () => {
    const { stream, streamReceiver } = subscribed();
    const one = delivery();
    const done = vi.fn();
    const completing = streamReceiver.completeMessage(asReceived(new LinkMessage({}, one))).then(done);
    expect(one.accept).toHaveBeenCalledTimes(1);
    await Promise.resolve();
    expect(done).not.toHaveBeenCalled();
    stream._deliveryDispositionMap.get(3)?.resolve();
    await completing;
  });

  it('is accepted by the SDK when its own link is not there', async () => {
    for (const more of [{ link: { name: 'another' } }, { link: undefined }, { remote_settled: true }]) {
      const { receiver, streamReceiver } = subscribed();
      const one = delivery(more as Partial<RheaDelivery>);
      await streamReceiver.completeMessage(asReceived(new LinkMessage({}, one)));
      expect(one.accept).not.toHaveBeenCalled();
      expect(receiver.completeMessage).toHaveBeenCalledTimes(1);
    }
  });

  it('fails what waits for an answer over a link that was replaced', async () => {
    const { stream, streamReceiver, attach, onAttached } = subscribed();
    const completing = streamReceiver.completeMessage(asReceived(new LinkMessage({}, delivery())));
    const failed = expect(completing).rejects.toMatchObject({ code: 'disconnected' });
    await attach();
    await failed;
    expect(stream._deliveryDispositionMap.size).toBe(0);
    expect(onAttached).toHaveBeenCalledTimes(1);
  });

  it('needs the SDK that it looks into', () => {
    const { receiver } = fakeReceiver();
    const other = { ...receiver, _streamingReceiver: {} } as unknown as ServiceBusReceiver;
    const handlers = { onMessage: () => {}, onError: async () => {}, onAttached: () => {} };
    expect(() => new StreamReceiver(other).subscribe(handlers)).toThrow(TypeError);
  });
});

describe('a message off the link', () => {
  const service = useService();

  it('says of itself what the SDK says', async () => {
    const topic = freshTopic();
    service.service.broker.entities.createTopic(topic);
    service.service.broker.entities.createSubscription(topic, 's');
    const client = new ServiceBusClient(service.service.connectionString);
    const receiver = client.createReceiver(topic, 's', { skipParsingBodyAsJson: true, skipConvertingDate: true });
    const theirs: ServiceBusReceivedMessage[] = [];
    const ours: LinkMessage[] = [];
    const subscription = receiver.subscribe({
      processMessage: async (message) => void theirs.push(message),
      processError: async () => {},
    });
    const { _streamingReceiver: stream } = receiver as unknown as {
      _streamingReceiver: { _onAmqpMessage(context: { message: RheaMessage; delivery: RheaDelivery }): Promise<void> };
    };
    const { _onAmqpMessage: handOn } = stream;
    stream._onAmqpMessage = (context) => {
      ours.push(new LinkMessage(context.message, context.delivery));
      return handOn.call(stream, context);
    };
    const sender = client.createSender(topic);
    await sender.sendMessages({
      body: { n: 1 },
      messageId: 'm',
      subject: 's',
      contentType: 'application/json',
      partitionKey: 'p',
      applicationProperties: { when: new Date(5), yes: true, n: 1.5 },
    });
    await sender.sendMessages({ body: Buffer.from('x'), sessionId: 'q', partitionKey: 'q' });
    await vi.waitFor(() => expect(theirs).toHaveLength(2));
    for (const [at, { sequenceNumber, ...message }] of theirs.entries()) {
      const one = ours[at] as LinkMessage;
      for (const name of [
        'body',
        'applicationProperties',
        'contentType',
        'messageId',
        'subject',
        'sessionId',
        'partitionKey',
        'deliveryCount',
        'lockToken',
        'enqueuedTimeUtc',
        'lockedUntilUtc',
      ] as const) {
        expect(one[name], name).toEqual(message[name]);
      }
      // What came over a link that is gone is settled without it, by its lock token.
      one.delivery = { remote_settled: false } as RheaDelivery;
      expect(one.lockToken).toBe(message.lockToken);
      expect(String(one.sequenceNumber)).toBe(String(sequenceNumber));
    }
    await subscription.close();
    await client.close();
  });
});
