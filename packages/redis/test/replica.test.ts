import type { Signal } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { type RedisStreamsOptions, redis, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, type OpenLink, openLink, outgoing, request } from './link.ts';
import { wayTo } from './way.ts';

let primary: RedisServer;
let other: RedisServer;
let admin: Redis;
const opened: OpenLink[] = [];

beforeAll(async () => {
  // Without HELLO, a server of before 6.2 and many a proxy: the role is asked for in another way.
  const soon = ['--repl-diskless-sync-delay', '0'];
  [primary, other] = await Promise.all([
    startRedis({ args: soon }),
    startRedis({ args: [...soon, '--rename-command', 'HELLO', ''] }),
  ]);
  admin = new Redis(primary.url);
});
beforeEach(() => promote());
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ link }) => link.close()));
});
afterAll(async () => {
  admin.disconnect();
  await Promise.all([primary.stop(), other.stop()]);
});

/** Connections stay, as with a failover that only changes roles. */
const demote = async () => {
  await admin.call('REPLICAOF', '127.0.0.1', String(other.port));
  await vi.waitFor(async () => expect(await admin.info('replication')).toContain('master_link_status:up'), {
    timeout: 10_000,
  });
};
const promote = () => admin.call('REPLICAOF', 'NO', 'ONE');

async function open(make: typeof redis, options: RedisStreamsOptions = {}): Promise<OpenLink> {
  const one = await openLink(make({ url: primary.url, pingIntervalMs: 50, ...options }), freshTopic());
  opened.push(one);
  return one;
}

const kindsOf = (signals: readonly Signal[]) => signals.map(({ kind }) => kind);

describe.each([
  ['pub/sub', redis],
  ['Streams', redisStreams],
] as [string, typeof redis][])('%s', (_, make) => {
  it('refuses a replica, and says what it is', async () => {
    await demote();
    await expect(open(make)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('the server is a replica'),
    });
  });

  it('publishes nothing to a server that was demoted, and signals what may be lost', async () => {
    const one = await open(make);
    const sink = new FakeSink();
    const source = await one.link.subscribe(request(), sink);
    // What it has taken goes when it becomes the replica of another one.
    await one.link.publish([outgoing(one.topic, 'before')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['before']));
    await demote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected']));
    expect(one.signals[0]).toMatchObject({ error: { message: expect.stringMatching(/replica|READONLY/) } });
    await expect(one.link.publish([outgoing(one.topic, 'lost')])).rejects.toMatchObject({ code: 'disconnected' });
    await promote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toContain('reconnected'), { timeout: 10_000 });
    expect(one.signals).toContainEqual(expect.objectContaining({ kind: 'reconnected', mayHaveLost: true }));
    await one.link.publish([outgoing(one.topic, 'after')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['before', 'after']), { timeout: 5_000 });
    await source.stop();
    await source.close();
  });

  it('publishes nothing through a given client whose server was demoted, and leaves it open', async () => {
    const client = new Redis(primary.url);
    const one = await open(make, { client });
    await demote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected']));
    const publishing = one.link.publish([outgoing(one.topic, '1')])?.catch((error: Error) => error);
    expect(await publishing).toMatchObject({ code: 'disconnected' });
    await promote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']));
    await one.link.publish([outgoing(one.topic, '2')]);
    expect(client.status).toBe('ready');
    client.disconnect();
  });
});

describe.each([
  ['its own', false],
  ['a given', true],
] as const)('%s client whose server is a replica', (_, isGiven) => {
  const connections = async () => Number(/^total_connections_received:(\d+)/m.exec(await admin.info('stats'))?.[1]);

  it('comes back without a keep-alive when it is promoted', async () => {
    const client = isGiven ? new Redis(primary.url) : undefined;
    const one = await open(redis, { ...(client && { client }), pingIntervalMs: 0 });
    await demote();
    (one.link.native as Redis).disconnect(true);
    // Until it was asked, and more than once.
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected']));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await promote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 5_000 });
    await one.link.publish([outgoing(one.topic, 'after')]);
    client?.disconnect();
  });

  it('goes where the address leads, less and less often', async () => {
    const client = isGiven ? new Redis(primary.url) : undefined;
    const one = await open(redis, { ...(client && { client }), pingIntervalMs: 50 });
    await demote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toContain('disconnected'));
    const before = await connections();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const made = (await connections()) - before;
    if (isGiven) expect(made).toBe(0);
    else {
      expect(made).toBeGreaterThan(2);
      expect(made).toBeLessThan(20);
    }
    client?.disconnect();
  });
});

describe.each([
  ['whose data it is', {}],
  // Neither INFO nor HELLO.
  ['nothing of itself', { username: 'listener', password: 'pw' }],
] as const)('where the server says %s', (_, login) => {
  it('who listens goes along when only the connection for commands has found the server that took over', async () => {
    for (const boss of [admin, new Redis(other.url)]) {
      await boss.acl(
        'SETUSER',
        'listener',
        'on',
        '>pw',
        'allchannels',
        '-@all',
        '+@pubsub',
        '+ping',
        '+quit',
        '+select',
      );
      if (boss !== admin) boss.disconnect();
    }
    let port = primary.port;
    const way = await wayTo(() => port);
    // The keep-alive would come too late.
    const one = await open(redis, { url: `redis://127.0.0.1:${way.port}`, pingIntervalMs: 60_000, ...login });
    const [early, late] = [new FakeSink(), new FakeSink()];
    await one.link.subscribe(request(), early);
    await demote();
    port = other.port;
    // What a demoted server takes it passes on to nobody else.
    await one.link.publish([outgoing(one.topic, 'lost')]);
    (one.link.native as Redis).disconnect(true);
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 5_000 });
    expect(one.signals[1]).toMatchObject({ mayHaveLost: true });
    // Nothing comes to a replica any more.
    await promote();
    await one.link.subscribe(request(), late);
    await one.link.publish([outgoing(one.topic, 'after')]);
    await vi.waitFor(() => expect([early.ids.at(-1), late.ids.at(-1)]).toEqual(['after', 'after']));
    way.close();
  });
});

it('who listens had gone ahead: it is told, too, of what was published to the server that was demoted', async () => {
  let port = primary.port;
  const way = await wayTo(() => port);
  const one = await open(redis, { url: `redis://127.0.0.1:${way.port}`, pingIntervalMs: 60_000 });
  const sink = new FakeSink();
  await one.link.subscribe(request(), sink);
  await demote();
  port = other.port;
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 5_000 });
  await one.link.publish([outgoing(one.topic, 'lost')]);
  one.signals.length = 0;
  (one.link.native as Redis).disconnect(true);
  await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 5_000 });
  expect(one.signals[1]).toMatchObject({ mayHaveLost: true });
  await one.link.publish([outgoing(one.topic, 'after')]);
  await vi.waitFor(() => expect(sink.ids).toEqual(['after']));
  way.close();
});

it('who listens stays when the connection for commands has come back to the same server', async () => {
  const one = await open(redis, { pingIntervalMs: 60_000 });
  const sink = new FakeSink();
  await one.link.subscribe(request(), sink);
  (one.link.native as Redis).disconnect(true);
  await vi.waitFor(async () => {
    await one.link.publish([outgoing(one.topic, 'after')]);
    expect(sink.ids).toContain('after');
  });
  expect(one.signals).toEqual([]);
});

it('publishes where nobody listens', async () => {
  const one = await open(redis);
  expect(await one.link.publish([outgoing(one.topic, '1')])).toBeUndefined();
});

describe('asks for the role', () => {
  it('with INFO where HELLO is unknown', async () => {
    await admin.call('REPLICAOF', 'NO', 'ONE');
    const boss = new Redis(other.url);
    await boss.call('REPLICAOF', '127.0.0.1', String(primary.port));
    await expect(open(redis, { url: other.url })).rejects.toMatchObject({ code: 'unreachable' });
    await boss.call('REPLICAOF', 'NO', 'ONE');
    const one = await open(redis, { url: other.url });
    await one.link.publish([outgoing(one.topic, '1')]);
    boss.disconnect();
  });

  it('with HELLO where INFO is not allowed: what a demoted server took is signalled all the same', async () => {
    await admin.acl('SETUSER', 'writer', 'on', '>pw', 'allchannels', '-@all', '+publish', '+ping', '+quit');
    const url = primary.url.replace('//', '//writer:pw@');
    const one = await open(redis, { url, ioredis: { enableReadyCheck: false } });
    await one.link.publish([outgoing(one.topic, 'before')]);
    await demote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected']), { timeout: 5_000 });
    await promote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 10_000 });
    expect(one.signals[1]).toMatchObject({ mayHaveLost: true });
  });

  it('for a user who may do next to nothing', async () => {
    await admin.acl('SETUSER', 'writer', 'on', '>pw', 'allchannels', '-@all', '+publish', '+ping', '+info', '+quit');
    const url = primary.url.replace('//', '//writer:pw@');
    const ioredis = { enableReadyCheck: false };
    const one = await open(redis, { url, ioredis });
    await one.link.publish([outgoing(one.topic, '1')]);
    await demote();
    await expect(open(redis, { url, ioredis })).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('and goes on where the answer is kept from it', async () => {
    const boss = new Redis(other.url);
    await boss.acl('SETUSER', 'writer', 'on', '>pw', 'allchannels', '-@all', '+publish');
    const url = other.url.replace('//', '//writer:pw@');
    const one = await open(redis, { url, ioredis: { enableReadyCheck: false } });
    await one.link.publish([outgoing(one.topic, '1')]);
    // Refusing to answer is an answer: the server is not stalled.
    const asked = await boss.info('commandstats').then((text) => /cmdstat_ping:.*rejected_calls=(\d+)/.exec(text)?.[1]);
    await vi.waitFor(async () => {
      const stats = /cmdstat_ping:.*rejected_calls=(\d+)/.exec(await boss.info('commandstats'))?.[1];
      expect(Number(stats)).toBeGreaterThan(Number(asked ?? 0) + 3);
    });
    expect(one.signals).toEqual([]);
    boss.disconnect();
  });
});

describe('a replica that took over may be behind', () => {
  it('which who only reads a stream is told, too: what others published there may be lost', async () => {
    const one = await open(redisStreams);
    await one.link.subscribe(request(), new FakeSink());
    await demote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toContain('disconnected'));
    await promote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toContain('reconnected'), { timeout: 10_000 });
    expect(one.signals).toContainEqual(expect.objectContaining({ kind: 'reconnected', mayHaveLost: true }));
  });

  it.each([
    ['pub/sub, publishing', redis, undefined],
    ['pub/sub, subscribed', redis, request()],
    ['Streams, a plain subscription', redisStreams, request()],
    ['Streams, a durable one', redisStreams, request({ durable: 'd' })],
    ['Streams, a group', redisStreams, request({ group: 'g' })],
  ] as const)(
    'which is told once, although it was demoted and promoted between two keep-alives: %s',
    async (_, make, of) => {
      const one = await open(make, { pingIntervalMs: 3_000 });
      const sink = new FakeSink();
      // A source that does not read leaves no blocked connection behind that its server would end.
      sink.setCapacity(0);
      if (of !== undefined) await one.link.subscribe(of, sink);
      // That a group is gone with the data is a gap besides.
      const ofConnection = () => one.signals.filter(({ kind }) => kind !== 'gap');
      await demote();
      await promote();
      await vi.waitFor(() => expect(kindsOf(ofConnection())).toEqual(['disconnected', 'reconnected']), {
        timeout: 10_000,
      });
      expect(ofConnection()[1]).toMatchObject({ mayHaveLost: true });
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      expect(ofConnection()).toHaveLength(2);
    },
    20_000,
  );

  it.each([
    ['a durable subscription', request({ durable: 'd' })],
    ['a group that keeps its place', request({ group: 'g', durable: 'd' })],
  ])('which %s is told once whose members were all away', async (_, of) => {
    const publisher = await open(redisStreams);
    const { topic } = publisher;
    const life = async () => {
      const one = await openLink(redisStreams({ url: primary.url }), topic, 'two');
      opened.push(one);
      const source = await one.link.subscribe(of, new FakeSink());
      return { signals: one.signals, source, link: one.link };
    };
    await (await life()).link.close();
    await publisher.link.publish([outgoing(topic, 'kept')]);
    // The other has what there is by now, and takes over; what comes after is lost with the one before.
    const boss = new Redis(other.url);
    try {
      await boss.call('REPLICAOF', '127.0.0.1', String(primary.port));
      await vi.waitFor(async () => expect(await boss.info('replication')).toContain('master_link_status:up'), {
        timeout: 10_000,
      });
      await boss.call('REPLICAOF', 'NO', 'ONE');
      await publisher.link.publish([outgoing(topic, 'lost')]);
      await demote();
      await promote();
      await vi.waitFor(() => expect(kindsOf(publisher.signals)).toContain('reconnected'), { timeout: 10_000 });
    } finally {
      boss.disconnect();
    }
    const second = await life();
    expect(second.signals).toContainEqual({ kind: 'gap', reason: 'trimmed' });
    await second.link.close();
    expect((await life()).signals).toEqual([]);
  });

  it('which a group is told only if it had members that were all away', async () => {
    const { topic, link } = await open(redisStreams);
    const life = async (durable: string) => {
      const one = await openLink(redisStreams({ url: primary.url }), topic, 'two');
      opened.push(one);
      const sink = new FakeSink();
      await one.link.subscribe(request({ durable }), sink);
      return { ...one, sink };
    };
    // Word as another participant leaves it, who was first to notice.
    const groups = `polycast:{${topic}}:~groups`;
    const one = await life('d');
    await Promise.all([admin.hset(groups, 'takeover', 'a'), admin.call('CLIENT', 'KILL', 'TYPE', 'normal')]);
    await vi.waitFor(() => expect(kindsOf(one.signals)).toContain('reconnected'), { timeout: 10_000 });
    await link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']), { timeout: 10_000 });
    expect(kindsOf(one.signals)).not.toContain('gap');
    // And who is there without joining again.
    await admin.hset(groups, 'takeover', 'b');
    await link.publish([outgoing(topic, '2')]);
    const told = async () =>
      Object.entries(await admin.hgetall(groups)).flatMap(([name, to]) => (name.startsWith('told\n') ? [to] : []));
    await vi.waitFor(async () => expect(await told()).toEqual(['b', 'b', 'b']), { timeout: 10_000 });
    await one.link.close();
    expect((await life('d')).signals).toEqual([]);
    expect((await life('new')).signals).toEqual([]);
  });

  it('which is not said to who only publishes streams, and finds the last of its own there', async () => {
    const one = await open(redisStreams);
    await one.link.publish([outgoing(one.topic, '1')]);
    // Nobody is there to follow: it keeps what it has.
    await admin.call('REPLICAOF', '127.0.0.1', '1');
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected']));
    await promote();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 10_000 });
    expect(one.signals[1]).toMatchObject({ mayHaveLost: false });
  });

  it('unless it is known to be the same data: a server that comes back from its log', async () => {
    const server = await startRedis({ persistent: true });
    const one = await open(redisStreams, { url: server.url });
    try {
      await one.link.subscribe(request(), new FakeSink());
      await server.kill();
      await server.restart();
      await vi.waitFor(() => expect(kindsOf(one.signals)).toContain('reconnected'), { timeout: 10_000 });
      expect(one.signals).toContainEqual(expect.objectContaining({ kind: 'reconnected', mayHaveLost: false }));
    } finally {
      await one.link.close();
      opened.pop();
      await server.stop();
    }
  });
});
