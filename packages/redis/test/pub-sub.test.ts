import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Address } from '@polycast/core/adapter';
import { freePort, type RedisServer, startRedis } from '@polycast/local-services';
import { type RedisTransportOptions, redis, redisStreams } from '@polycast/redis';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, type OpenLink, openLink, outgoing, request } from './link.ts';

let server: RedisServer;
let admin: Redis;
const opened: OpenLink[] = [];

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  admin.on('error', () => {});
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ link }) => link.close()));
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

async function open(options: RedisTransportOptions = {}, topic = freshTopic(), instance = 'one'): Promise<OpenLink> {
  const link = await openLink(redis({ url: server.url, ...options }), topic, instance);
  opened.push(link);
  return link;
}

describe('publishing and subscribing', () => {
  it('brings a batch in order, in one message that is a CloudEvents JSON batch', async () => {
    const { link, topic } = await open();
    const sink = new FakeSink();
    await link.subscribe(request(), sink);
    const raw = new Redis(server.url);
    await raw.subscribe(`polycast:{${topic}}:*`);
    const texts: string[] = [];
    raw.on('message', (_, text) => texts.push(text));
    expect(await link.publish([1, 2, 3].map((id) => outgoing(topic, String(id))))).toBeUndefined();
    await link.publish([outgoing(topic, '4')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3', '4']));
    await vi.waitFor(() => expect(texts).toHaveLength(2));
    expect(JSON.parse(texts[0] ?? '')).toMatchObject([{ id: '1', specversion: '1.0' }, { id: '2' }, { id: '3' }]);
    expect(JSON.parse(texts[1] ?? '')).toMatchObject({ id: '4', specversion: '1.0' });
    raw.disconnect();
  });

  it('sends one event a message with batch off', async () => {
    const { link, topic } = await open({ batch: 'off' });
    const sink = new FakeSink();
    await link.subscribe(request(), sink);
    const raw = new Redis(server.url);
    await raw.subscribe(`polycast:{${topic}}:*`);
    const ids: string[] = [];
    raw.on('message', (_, text) => ids.push((JSON.parse(text) as { id: string }).id));
    await link.publish([1, 2, 3].map((id) => outgoing(topic, String(id))));
    await vi.waitFor(() => expect(ids).toEqual(['1', '2', '3']));
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3']));
    raw.disconnect();
  });

  it('lets the server do the addressing', async () => {
    const { link, topic } = await open();
    const mine = new FakeSink();
    const other = new FakeSink();
    await link.subscribe(request(), mine);
    await link.subscribe(request({ addresses: ['*', 'role:other', 'instance:two'] }), other);
    await link.publish([
      outgoing(topic, 'all'),
      outgoing(topic, 'role', ['role:tester']),
      outgoing(topic, 'me', ['instance:one']),
      outgoing(topic, 'them', ['role:other', 'instance:nobody']),
    ]);
    await vi.waitFor(() => expect(mine.ids.sort()).toEqual(['all', 'me', 'role']));
    await vi.waitFor(() => expect(other.ids).toEqual(['all', 'them']));
  });

  it('brings each of two sources what it asked for alone, and keeps the channels that one of them still wants', async () => {
    const { link, topic } = await open();
    const shared = new FakeSink();
    const direct = new FakeSink();
    const all = await link.subscribe(request(), shared);
    // As core asks for beside others: what is for the instance alone, and roll calls.
    const addresses: Address[] = ['role:~control', 'instance:one'];
    const source = await link.subscribe(request({ addresses }), direct);
    const publish = () =>
      link.publish([
        outgoing(topic, 'all'),
        outgoing(topic, 'role', ['role:tester']),
        outgoing(topic, 'me', ['instance:one']),
        outgoing(topic, 'both', ['role:tester', 'instance:one']),
        outgoing(topic, 'call', ['role:~control']),
        outgoing(topic, 'you', ['instance:two']),
      ]);
    await publish();
    await source.caughtUp?.();
    expect(direct.ids.sort()).toEqual(['both', 'call', 'me']);
    // Of an event for two of its addresses core takes one copy.
    expect(shared.ids.sort()).toEqual(['all', 'both', 'both', 'me', 'role']);
    await all.stop();
    await publish();
    await source.caughtUp?.();
    expect(direct.ids.sort()).toEqual(['both', 'both', 'call', 'call', 'me', 'me']);
    expect(shared.ids).toHaveLength(5);
    const channels = (await admin.pubsub('CHANNELS', `polycast:{${topic}}:*`)) as string[];
    expect(channels.map((name) => name.slice(`polycast:{${topic}}:`.length)).sort()).toEqual([...addresses].sort());
    await source.stop();
  });

  it('keeps a channel while one of its sources is open, and lets go with the last', async () => {
    const { link, topic } = await open();
    const sinks = [new FakeSink(), new FakeSink()];
    const sources = [];
    for (const sink of sinks) sources.push(await link.subscribe(request(), sink));
    expect(await admin.pubsub('CHANNELS', `polycast:{${topic}}:*`)).toHaveLength(3);
    await sources[0]?.stop();
    await link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(sinks[1]?.ids).toEqual(['1']));
    expect(sinks[0]?.ids).toEqual([]);
    await sources[1]?.stop();
    await sources[1]?.close();
    expect(await admin.pubsub('CHANNELS', `polycast:{${topic}}:*`)).toHaveLength(0);
  });

  it('leaves no connection and no channel behind', async () => {
    const clients = async () => ((await admin.client('LIST')) as string).trim().split('\n').length;
    const before = await clients();
    const { link, topic } = await open();
    await link.subscribe(request(), new FakeSink());
    expect(await clients()).toBe(before + 2);
    await link.close();
    await link.close();
    expect(await clients()).toBe(before);
    expect(await admin.pubsub('CHANNELS', `polycast:{${topic}}:*`)).toHaveLength(0);
  });

  it('reports what is corrupt or foreign and goes on', async () => {
    const { link, topic } = await open();
    const sink = new FakeSink();
    await link.subscribe(request(), sink);
    const channel = `polycast:{${topic}}:*`;
    for (const text of ['', 'hello', '{"a":1}', '[1,{}]', Buffer.from([0xff, 0xfe, 0x00])])
      await admin.publish(channel, text);
    await link.publish([outgoing(topic, 'good')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['good']));
    expect(sink.corrupted).toHaveLength(6);
    expect(new Set(sink.corrupted.map(({ code }) => code))).toEqual(new Set(['corrupt-event']));
  });
});

describe('a given client', () => {
  it('is used and left open', async () => {
    const client = new Redis(server.url);
    const { link, topic } = await open({ client });
    const sink = new FakeSink();
    await link.subscribe(request(), sink);
    await link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    await link.close();
    expect(await client.ping()).toBe('PONG');
    expect(link.native).toBe(client);
    client.disconnect();
  });
});

/** Of ioredis 6, whose types know the option. */
const mapped = { protocol: 3, replyMapping: 'resp3' } as RedisOptions;

it('refuses replies of other shapes, which ioredis 6 offers', () => {
  const client = new Redis({ lazyConnect: true, ...mapped } as object);
  const cluster = new Cluster([{ port: 1 }], { lazyConnect: true, redisOptions: mapped as object });
  const refused = expect.objectContaining({
    code: 'invalid-configuration',
    message: expect.stringContaining('replyMapping'),
  });
  for (const options of [{ client }, { client: cluster }, { ioredis: mapped }]) {
    expect(() => redis(options)).toThrow(refused);
    expect(() => redisStreams(options)).toThrow(refused);
  }
});

describe('faults', () => {
  it('comes back after a restart and says that events may be lost', async () => {
    const own = await startRedis();
    const { link, signals, topic } = await open({ url: own.url });
    const sink = new FakeSink();
    await link.subscribe(request(), sink);
    await own.restart();
    await vi.waitFor(() => expect(signals.map(({ kind }) => kind)).toEqual(['disconnected', 'reconnected']), {
      timeout: 10_000,
    });
    expect(signals[1]).toMatchObject({ mayHaveLost: true });
    await link.publish([outgoing(topic, 'after')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['after']));
    await own.stop();
  });

  it('rejects a publish under way with disconnected when the server is killed', async () => {
    const own = await startRedis();
    const { link, topic } = await open({ url: own.url });
    own.freeze();
    const publishing = link.publish([outgoing(topic, '1')]) as Promise<void>;
    const rejection = expect(publishing).rejects.toMatchObject({ code: 'disconnected', retryable: true });
    await own.kill();
    await rejection;
    await own.stop();
  });

  it('signals a server that answers nothing, and a publish to it times out', async () => {
    const own = await startRedis();
    const { link, signals, topic } = await open({ url: own.url, pingIntervalMs: 100, commandTimeoutMs: 300 });
    await link.subscribe(request(), new FakeSink());
    own.freeze();
    await expect(link.publish([outgoing(topic, '1')])).rejects.toMatchObject({ code: 'timeout' });
    await vi.waitFor(() =>
      expect(signals).toContainEqual(expect.objectContaining({ kind: 'stalled', what: 'server' })),
    );
    own.thaw();
    await own.stop();
  });

  it('is cut off when too slow, comes back and says so', async () => {
    const own = await startRedis({ args: ['--client-output-buffer-limit', 'pubsub 64kb 32kb 1'] });
    const { link, signals, topic } = await open({ url: own.url });
    const sink = new FakeSink();
    await link.subscribe(request(), sink);
    const direct = new Redis(own.url);
    const noise = 'x'.repeat(1_000_000);
    // More in one turn than the socket's buffers take: the server's own buffer fills while we do not read.
    await Promise.all(Array.from({ length: 60 }, () => direct.publish(`polycast:{${topic}}:*`, noise)));
    await vi.waitFor(() => expect(signals.map(({ kind }) => kind)).toContain('reconnected'), { timeout: 10_000 });
    await link.publish([outgoing(topic, 'after')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['after']));
    direct.disconnect();
    await own.stop();
  });

  it.each([
    ['nobody listens', async () => ({ url: `redis://127.0.0.1:${await freePort()}` }), 'unreachable'],
    ['the host has no address', async () => ({ host: 'nowhere.invalid' }), 'unreachable'],
    ['the password is wrong', async () => ({ url: 'redis://:hunter2@127.0.0.1', port: guarded.port }), 'unauthorized'],
    ['the password is missing', async () => ({ port: guarded.port }), 'unauthorized'],
    ['the database does not exist', async () => ({ url: server.url, db: 9_999 }), 'invalid-configuration'],
  ])('says so when %s', async (_, options, code) => {
    const given = await options();
    const error = await openLink(redis({ connectTimeoutMs: 2_000, ...given }), 't').then(
      ({ link }) => link.close().then(() => undefined),
      (thrown: unknown) => thrown as Error,
    );
    expect(error).toMatchObject({ code });
    expect(
      JSON.stringify([error?.message, error?.stack, error?.cause, (error?.cause as Error | undefined)?.stack]),
    ).not.toContain('hunter2');
  });

  let guarded: RedisServer;
  beforeAll(async () => {
    guarded = await startRedis({ args: ['--requirepass', 'secret'] });
  });
  afterAll(() => guarded.stop());

  it('takes a password, and an ACL user who may publish only', async () => {
    const { link } = await open({ url: `redis://:secret@127.0.0.1:${guarded.port}` });
    await link.publish([outgoing('t', '1')]);
    const boss = new Redis({ port: guarded.port, password: 'secret' });
    await boss.acl('SETUSER', 'writer', 'on', '>pw', 'allchannels', '-@all', '+publish', '+ping', '+info', '+quit');
    const writer = await open({ url: `redis://writer:pw@127.0.0.1:${guarded.port}` });
    await writer.link.publish([outgoing('t', '1')]);
    await expect(writer.link.subscribe(request(), new FakeSink())).rejects.toMatchObject({ code: 'unauthorized' });
    boss.disconnect();
  });

  it.each([
    ['speaks HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'protocol-mismatch'],
    ['says nothing', '', 'unreachable'],
  ])('says so when the server %s', async (_, reply, code) => {
    const sockets = new Set<{ destroy(): void }>();
    const other = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', () => reply && socket.end(reply));
    }).listen(await freePort(), '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(openLink(redis({ port, connectTimeoutMs: 500 }), 't')).rejects.toMatchObject({ code });
    for (const socket of sockets) socket.destroy();
    other.close();
  });
});
