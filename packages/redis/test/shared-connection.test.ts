import { connect } from '@polycast/core';
import type { Signal, Transport } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { type RedisTransportOptions, redis, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, type OpenLink, openLink, outgoing, request } from './link.ts';

const TOPICS = 10;

let server: RedisServer;
let admin: Redis;
const opened: OpenLink[] = [];

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  admin.on('error', () => {});
});
beforeEach(() => allow('&*'));
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ link }) => link.close()));
  await vi.waitFor(async () => expect(await connections()).toBe(0));
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

const allow = (...channels: string[]) =>
  admin.acl('SETUSER', 'u', 'reset', 'on', '>pw', '~*', '+@all', 'resetchannels', ...channels);

/** Those that the server has, but for our own. */
async function connections(): Promise<number> {
  const list = (await admin.client('LIST')) as string;
  return list.trim().split('\n').length - 1;
}

async function open(transport: Transport, topic = freshTopic(), instance = 'one'): Promise<OpenLink> {
  const link = await openLink(transport, topic, instance);
  opened.push(link);
  return link;
}

const asUser = (options: RedisTransportOptions = {}) => redis({ url: server.url.replace('//', '//u:pw@'), ...options });

const kinds = (signals: readonly Signal[]) => signals.map(({ kind }) => kind);

/** Topics over one transport object, opened at once, each subscribed to. */
async function openTopics(transport: Transport, count = TOPICS) {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const one = await open(transport);
      const sink = new FakeSink();
      const source = await one.link.subscribe(request(), sink);
      return { ...one, sink, source };
    }),
  );
}

describe.each([
  ['pub/sub', redis, 2],
  // A read that blocks has a connection to itself.
  ['Streams', redisStreams, 1 + TOPICS],
] as const)('%s', (_, make, expected) => {
  it(`ten topics over one transport object have ${expected} connections, and their own events`, async () => {
    const warned = vi.spyOn(process, 'emitWarning');
    const all = await openTopics(make({ url: server.url }));
    expect(await connections()).toBe(expected);
    await Promise.all(all.map(({ link, topic }) => link.publish([outgoing(topic, topic)])));
    for (const { sink, topic } of all) await vi.waitFor(() => expect(sink.ids).toEqual([topic]));
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();

    // One leaves, and the others notice nothing.
    const [first, ...others] = all as [(typeof all)[0], ...typeof all];
    await first.source.stop();
    await first.source.close();
    await first.link.close();
    await Promise.all(others.map(({ link, topic }) => link.publish([outgoing(topic, 'more')])));
    for (const { sink, topic } of others) await vi.waitFor(() => expect(sink.ids).toEqual([topic, 'more']));
    for (const { signals } of all) expect(signals).toEqual([]);
    expect(first.sink.ids).toEqual([first.topic]);
  });

  it('the connection closes with the last link, and the object can be used again', async () => {
    const transport = make({ url: server.url });
    for (const _time of [1, 2]) {
      const [one, two] = await Promise.all([open(transport), open(transport)]);
      await one.link.close();
      expect(await connections()).toBe(1);
      await two.link.publish([outgoing(two.topic, '1')]);
      await two.link.close();
      await vi.waitFor(async () => expect(await connections()).toBe(0));
    }
  });

  it('each has one of its own where that is asked for', async () => {
    const transport = make({ url: server.url, shareConnection: false });
    const all = await Promise.all([open(transport), open(transport), open(transport)]);
    expect(await connections()).toBe(3);
    await all[0]?.link.close();
    await vi.waitFor(async () => expect(await connections()).toBe(2));
  });

  it('all who open at once learn that there is no server, and the next try is a new one', async () => {
    const stopped = await startRedis();
    const transport = make({ url: stopped.url, connectTimeoutMs: 500 });
    await stopped.stop();
    const results = await Promise.allSettled([1, 2].map((at) => openLink(transport, freshTopic(), `i${at}`)));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'unreachable' } });
    }
    await expect(openLink(transport, freshTopic())).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('who opens while the connection is lost is refused in time, and that harms nobody', async () => {
    const own = await startRedis();
    const transport = make({ url: own.url, connectTimeoutMs: 500 });
    const one = await openLink(transport, freshTopic());
    const sink = new FakeSink();
    await one.link.subscribe(request(), sink);
    await own.kill();
    await vi.waitFor(() => expect(kinds(one.signals)).toContain('disconnected'));
    await expect(openLink(transport, freshTopic())).rejects.toMatchObject({ code: 'unreachable' });
    await own.start();
    await vi.waitFor(() => expect(kinds(one.signals)).toContain('reconnected'), { timeout: 10_000 });
    const two = await openLink(transport, freshTopic());
    await two.link.publish([outgoing(one.topic, '1'), outgoing(one.topic, '2')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2']), { timeout: 5_000 });
    expect(two.signals).toEqual([]);
    await Promise.all([one.link.close(), two.link.close()]);
    await own.stop();
  });

  it('a lost connection is signalled to each, once, and its return', async () => {
    const all = await openTopics(make({ url: server.url }), 3);
    for (const type of ['normal', 'pubsub']) await admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    for (const { signals } of all) {
      await vi.waitFor(() => expect(kinds(signals)).toEqual(['disconnected', 'reconnected']), { timeout: 5_000 });
    }
    await Promise.all(all.map(({ link, topic }) => link.publish([outgoing(topic, topic)])));
    for (const { sink, topic } of all) await vi.waitFor(() => expect(sink.ids).toEqual([topic]), { timeout: 5_000 });
  });

  it('ten idle topics ask for a sign of life about as often as one', async () => {
    const transport = make({ url: server.url, pingIntervalMs: 100 });
    const all = await Promise.all(Array.from({ length: TOPICS }, () => open(transport)));
    const asked = async () => Number(/cmdstat_info:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
    // The clock of the test: one keep-alive each 100 ms of a topic with a connection of its own.
    let beats = 0;
    const clock = make({ url: server.url, pingIntervalMs: 100, shareConnection: false });
    const alone = await open(clock);
    const info = vi.spyOn(alone.link.native as Redis, 'info').mockImplementation(() => {
      beats++;
      return Promise.resolve('role:master');
    });
    const before = await asked();
    await vi.waitFor(() => expect(beats).toBeGreaterThanOrEqual(10), { timeout: 10_000 });
    const questions = (await asked()) - before;
    info.mockRestore();
    expect(questions).toBeGreaterThanOrEqual(5);
    expect(questions).toBeLessThanOrEqual(4 * beats);
    for (const { signals } of all) expect(signals).toEqual([]);
  });
});

describe('a fault of one', () => {
  it('is its own: a channel that one may not subscribe to keeps no other from subscribing', async () => {
    const transport = asUser();
    const one = await open(transport);
    const sink = new FakeSink();
    await one.link.subscribe(request(), sink);
    const two = await open(transport);
    await allow(`&polycast:{${one.topic}}:*`);
    await expect(two.link.subscribe(request(), new FakeSink())).rejects.toMatchObject({ code: 'unauthorized' });
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    expect(one.signals).toEqual([]);
  });

  it('is its own when all come back: who may not any more is told, the others go on, and it returns once it may', async () => {
    const transport = asUser();
    const [one, two] = await openTopics(transport, 2);
    if (one === undefined || two === undefined) throw new Error('no topics');
    // The server ends connections that are subscribed to what they no longer may.
    await allow(`&polycast:{${one.topic}}:*`);
    await vi.waitFor(() => expect(kinds(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 5_000 });
    await vi.waitFor(() => expect(kinds(two.signals)).toEqual(['disconnected', 'failed']), { timeout: 5_000 });
    expect(two.signals[1]).toMatchObject({ what: 'source', error: { code: 'unauthorized' } });
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
    await allow('&*');
    await vi.waitFor(() => expect(kinds(two.signals)).toEqual(['disconnected', 'failed', 'reconnected']), {
      timeout: 10_000,
    });
    expect(two.signals[2]).toMatchObject({ mayHaveLost: true });
    await two.link.publish([outgoing(two.topic, '2')]);
    await vi.waitFor(() => expect(two.sink.ids).toEqual(['2']));
    expect(kinds(one.signals)).toEqual(['disconnected', 'reconnected']);
  });
});

it('two participants of one topic share it, too, and each has its own events', async () => {
  const transport = redis({ url: server.url });
  const topic = freshTopic();
  const [a, b] = await Promise.all(
    ['a', 'b'].map((instance) => connect({ transport, topic, self: { role: 'x', instance } })),
  );
  if (a === undefined || b === undefined) throw new Error('no broadcasters');
  const got: string[] = [];
  await a.subscribe(({ data }) => void got.push(`a ${data}`));
  await b.subscribe(({ data }) => void got.push(`b ${data}`));
  expect(await connections()).toBe(2);
  await a.publish({ type: 't', data: 1 });
  await b.publish({ type: 't', data: 2 }, { to: 'instance:a' });
  await vi.waitFor(() => expect(got.sort()).toEqual(['a 2', 'b 1']));
  await a.close();
  await b.publish({ type: 't', data: 3 }, { carbonCopy: true });
  await vi.waitFor(() => expect(got.sort()).toEqual(['a 2', 'b 1', 'b 3']));
  await b.close();
});

it('each participant has events of its own: what one handler does to its data another does not see', async () => {
  const transport = redis({ url: server.url });
  const topic = freshTopic();
  const [a, b, c] = await Promise.all(
    ['a', 'b', 'c'].map((instance) => connect({ transport, topic, self: { role: 'x', instance } })),
  );
  const got: unknown[] = [];
  for (const one of [a, b]) {
    await one?.subscribe(({ data }) => {
      got.push(structuredClone(data));
      (data as { price: number }).price = 0;
    });
  }
  await c?.publish({ type: 't', data: { price: 7 } });
  await vi.waitFor(() => expect(got).toEqual([{ price: 7 }, { price: 7 }]));
  await Promise.all([a, b, c].map((one) => one?.close()));
});
