import type { Transport } from '@polycast/core';
import { redis, redisStreams } from '@polycast/redis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startCluster, type TestCluster } from './cluster.ts';
import { FakeSink, freshTopic, openLink, outgoing, request } from './link.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster(3);
}, 30_000);
afterAll(() => cluster.stop());

const keyOf = (topic: string) => `polycast:{${topic}}:*`;
const timeout = 15_000;

describe.each([
  ['pub/sub', () => redis({ cluster: cluster.nodes, pingIntervalMs: 100 })],
  ['Streams', () => redisStreams({ cluster: cluster.nodes, pingIntervalMs: 100 })],
] as [string, () => Transport][])('%s', (_, make) => {
  it('goes on listening where its slot went, though it only listens', async () => {
    const topic = freshTopic();
    const listener = await openLink(make(), topic);
    const sink = new FakeSink();
    const source = await listener.link.subscribe(request(), sink);
    const publisher = await openLink(make(), topic);
    await publisher.link.publish([outgoing(topic, '0')]);
    await vi.waitFor(() => expect(sink.ids).toContain('0'), { timeout });
    for (const round of ['1', '2', '3']) {
      await cluster.move(keyOf(topic));
      // On pub/sub what is published before it listens again is lost, and announced.
      await vi.waitFor(
        async () => {
          await publisher.link.publish([outgoing(topic, round)]);
          expect(sink.ids).toContain(round);
        },
        { timeout, interval: 100 },
      );
    }
    await source.stop();
    await source.close();
    await Promise.all([listener.link.close(), publisher.link.close()]);
  });

  it('signals that the server of its topic is gone, and that it is back', async () => {
    const one = await openLink(make(), freshTopic());
    const owner = await cluster.ownerOf(keyOf(one.topic));
    await one.link.publish([outgoing(one.topic, '1')]);
    const kinds = () => one.signals.map(({ kind }) => kind);
    await cluster.servers[owner]?.kill();
    await vi.waitFor(() => expect(kinds()).toEqual(['disconnected']), { timeout });
    const refused = await one.link.publish([outgoing(one.topic, '2')])?.then(
      () => undefined,
      (error: { retryable?: boolean }) => error,
    );
    expect(refused).toMatchObject({ retryable: true });
    await cluster.servers[owner]?.restart();
    await vi.waitFor(() => expect(kinds()).toContain('reconnected'), { timeout });
    await vi.waitFor(() => one.link.publish([outgoing(one.topic, '3')]), { timeout });
    await one.link.close();
    await cluster.settled();
  });
});

it('pub/sub signals that events may be lost while a slot moves', async () => {
  const topic = freshTopic();
  const { link, signals } = await openLink(redis({ cluster: cluster.nodes }), topic);
  await link.subscribe(request(), new FakeSink());
  await cluster.move(keyOf(topic));
  await vi.waitFor(() => expect(signals.map(({ kind }) => kind)).toEqual(['disconnected', 'reconnected']), { timeout });
  expect(signals[0]).toMatchObject({ error: { code: 'disconnected', message: expect.stringContaining('MOVED') } });
  expect(signals[1]).toMatchObject({ mayHaveLost: true });
  await link.close();
});

it('Streams lose nothing while a slot moves: plain, group and durable', async () => {
  const topic = freshTopic();
  const make = () => redisStreams({ cluster: cluster.nodes, claimIntervalMs: 100 });
  const listener = await openLink(make(), topic);
  const publisher = await openLink(make(), topic);
  const sinks = [new FakeSink(), new FakeSink(), new FakeSink()];
  for (const sink of sinks) sink.onDeliver = (_, lease) => void lease?.settle({ kind: 'accept' });
  const sources = [
    await listener.link.subscribe(request(), sinks[0]!),
    await listener.link.subscribe(request({ group: 'g' }), sinks[1]!),
    await listener.link.subscribe(request({ durable: 'd' }), sinks[2]!),
  ];
  const ids: string[] = [];
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < 5; at++) {
      ids.push(`${round}-${at}`);
      await publisher.link.publish([outgoing(topic, `${round}-${at}`)]);
    }
    await cluster.move(keyOf(topic));
    ids.push(`after ${round}`);
    await publisher.link.publish([outgoing(topic, `after ${round}`)]);
  }
  for (const sink of sinks)
    await vi.waitFor(() => expect([...new Set(sink.ids)].sort()).toEqual(ids.sort()), { timeout });
  expect(sinks[0]?.ids).toHaveLength(ids.length);
  expect(listener.signals.filter(({ kind }) => kind === 'gap')).toEqual([]);
  await Promise.all(sources.map((source) => source.stop()));
  await Promise.all(sources.map((source) => source.close()));
  await Promise.all([listener.link.close(), publisher.link.close()]);
});
