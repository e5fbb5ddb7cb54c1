import { connect, type Signal } from '@polycast/core';
import { type ProxyHandle, startProxy } from '@polycast/local-services/proxy';
import { type ServiceBusOptions, serviceBus } from '@polycast/service-bus';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freshTopic, isPublic, useService } from './service.ts';

const service = useService();
const TOPICS = 10;
/** The SDK alone may wait a minute for a token over a connection that is lost, and reports its silence. */
const RETURN_MS = isPublic ? 150_000 : 60_000;

/** AMQP comes this way, and administration does not. */
let proxy: ProxyHandle;
beforeAll(async () => {
  proxy = await startProxy({ target: { host: '127.0.0.1', port: service.service.port } });
});
afterAll(() => proxy.stop());

const connections = () => proxy.stats.open;
const kinds = (signals: readonly Signal[]) => signals.map(({ kind }) => kind);
const outages = (signals: readonly Signal[]) =>
  kinds(signals).filter((kind) => !isPublic || kind === 'disconnected' || kind === 'reconnected');
const transportOf = (more: ServiceBusOptions = {}) =>
  serviceBus({
    connectionString: service.service.connectionString.replace(`:${service.service.port};`, `:${proxy.port};`),
    administrationUrl: `http://127.0.0.1:${service.service.port}`,
    closeTimeoutMs: 500,
    ...more,
  });

async function open(transport: ReturnType<typeof serviceBus>, topic = freshTopic()) {
  const signals: Signal[] = [];
  const handled: unknown[] = [];
  const one = await connect({ transport, topic, self: { role: 'x' }, onSignal: (signal) => signals.push(signal) });
  await one.subscribe(({ data }) => void handled.push(data));
  const publish = (data: unknown) => one.publish({ type: 't', data }, { carbonCopy: true });
  return { one, topic, signals, handled, publish, close: () => one.close({ drainMs: 0 }) };
}

describe('ten topics over one transport object', () => {
  it('have one connection, and their own events; it closes with the last of them', async () => {
    const transport = transportOf();
    const all = await Promise.all(Array.from({ length: TOPICS }, () => open(transport)));
    expect(connections()).toBe(1);
    await Promise.all(all.map(({ publish, topic }) => publish(topic)));
    for (const { handled, topic } of all) await vi.waitFor(() => expect(handled).toEqual([topic]), 10_000);

    // One leaves, and takes with it what is its own.
    const [first, ...others] = all as [(typeof all)[0], ...typeof all];
    await first.close();
    expect(service.subscriptions(first.topic)).toEqual([]);
    await Promise.all(others.map(({ publish }) => publish('more')));
    for (const { handled, topic } of others) await vi.waitFor(() => expect(handled).toEqual([topic, 'more']), 10_000);
    expect(all.flatMap(({ signals }) => signals)).toEqual([]);
    expect(first.handled).toEqual([first.topic]);

    await Promise.all(others.map(({ close }) => close()));
    await vi.waitFor(() => expect(connections()).toBe(0), 5_000);
    // The object can be used again.
    const again = await open(transport);
    await again.publish(1);
    await vi.waitFor(() => expect(again.handled).toEqual([1]), 10_000);
    await again.close();
  }, 60_000);

  it('have one each where that is asked for', async () => {
    const transport = transportOf({ shareConnection: false });
    const all = await Promise.all([open(transport), open(transport), open(transport)]);
    expect(connections()).toBe(3);
    await Promise.all(all.map(({ close }) => close()));
  }, 60_000);

  it('are told of a lost connection and of its return, each once, and go on', async () => {
    const transport = transportOf();
    const all = await Promise.all([open(transport), open(transport), open(transport)]);
    service.service.cut();
    for (const { signals } of all) {
      await vi.waitFor(() => expect(outages(signals)).toEqual(['disconnected', 'reconnected']), RETURN_MS);
    }
    await Promise.all(all.map(({ publish, topic }) => publish(topic)));
    for (const { handled, topic } of all) await vi.waitFor(() => expect(handled).toEqual([topic]), RETURN_MS);
    await Promise.all(all.map(({ close }) => close()));
  }, 400_000);
});

describe('a fault of one', () => {
  it('is its own: its topic is removed, and the other goes on, also after a lost connection', async () => {
    const transport = transportOf({ create: 'subscriptions' });
    const topics = [freshTopic(), freshTopic()];
    const preparing = await Promise.all(topics.map((topic) => open(transportOf(), topic)));
    const [one, two] = await Promise.all(topics.map((topic) => open(transport, topic)));
    if (one === undefined || two === undefined) throw new Error('no topics');
    await Promise.all(preparing.map(({ close }) => close()));
    service.service.broker.entities.deleteTopic(one.topic);
    await vi.waitFor(() => expect(kinds(one.signals)).toContain('failed'), 30_000);
    await two.publish(1);
    await vi.waitFor(() => expect(two.handled).toEqual([1]), 10_000);
    expect(two.signals).toEqual([]);
    service.service.cut();
    await vi.waitFor(() => expect(outages(two.signals)).toEqual(['disconnected', 'reconnected']), RETURN_MS);
    await two.publish(2);
    await vi.waitFor(() => expect(two.handled).toEqual([1, 2]), RETURN_MS);
    await Promise.all([one.close(), two.close()]);
  }, 400_000);

  it('is its own: who cannot open leaves the connection to the others', async () => {
    const transport = transportOf({ create: false });
    const topic = freshTopic();
    const preparing = await open(transportOf(), topic);
    const signals: Signal[] = [];
    const one = await connect({ transport, topic, self: { role: 'y' }, onSignal: (signal) => signals.push(signal) });
    await expect(connect({ transport, topic: freshTopic(), self: { role: 'y' } })).rejects.toMatchObject({
      code: 'not-found',
    });
    await one.publish({ type: 't', data: 1 });
    await vi.waitFor(() => expect(preparing.handled).toEqual([1]), 10_000);
    expect(signals).toEqual([]);
    await Promise.all([one.close(), preparing.close()]);
  }, 60_000);
});
