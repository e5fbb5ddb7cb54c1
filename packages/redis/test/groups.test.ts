import type { Lease, Source } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { type RedisStreamsOptions, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, openLink, outgoing, request } from './link.ts';
import { wayTo } from './way.ts';

let server: RedisServer;
let admin: Redis;
const opened: { close(): Promise<void> }[] = [];
const sources: Source[] = [];
const sinks: FakeSink[] = [];

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterEach(async () => {
  // Core, too, has what waits for room go on when it closes.
  for (const sink of sinks.splice(0)) sink.setCapacity(1_000);
  await Promise.all(sources.splice(0).map((source) => source.close()));
  await Promise.all(opened.splice(0).map((link) => link.close()));
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

interface MemberOptions {
  readonly group?: string;
  readonly durable?: string;
  readonly role?: string;
  readonly lockMs?: number;
  readonly options?: RedisStreamsOptions;
}

async function member(topic: string, instance: string, more: MemberOptions = {}) {
  const { role = 'tester', lockMs = 300_000, durable, options, group = durable === undefined ? 'g' : undefined } = more;
  const transport = redisStreams({ url: server.url, claimIntervalMs: 50, ...options });
  const opening = await openLink(transport, topic, instance, role);
  opened.push(opening.link);
  const sink = new FakeSink();
  sinks.push(sink);
  const source = await opening.link.subscribe(request({ group, durable, lockMs }, { role, instance }), sink);
  sources.push(source);
  return { ...opening, sink, source, instance };
}

const keyOf = (topic: string, address = '*') => `polycast:{${topic}}:${address}`;
const accept = (lease: Lease | undefined) => lease?.settle({ kind: 'accept' });
const pendingOf = async (topic: string, address = '*') =>
  Number((await admin.xpending(keyOf(topic, address), 'polycast:group:tester/g'))[0]);
const groupsOf = async (topic: string, address = '*') =>
  ((await admin.xinfo('GROUPS', keyOf(topic, address)).catch(() => [])) as unknown[][]).map((flat) => flat[1]);
const consumersOf = async (topic: string, group: string) =>
  ((await admin.xinfo('CONSUMERS', keyOf(topic), `polycast:group:${group}`)) as unknown[][]).map((flat) => flat[1]);
const gapsOf = (one: { signals: readonly { kind: string }[] }) => one.signals.filter(({ kind }) => kind === 'gap');

/** As a process that is killed leaves it: its connections are gone, and a lease later everybody may know. */
async function kill(one: Awaited<ReturnType<typeof member>>): Promise<void> {
  sources.splice(sources.indexOf(one.source), 1);
  opened.splice(opened.indexOf(one.link), 1);
  await one.source.stop();
  await one.link.close();
  const key = keyOf(one.topic, '~members');
  const names = (await admin.zrange(key, '0', '-1')).filter((name) => name.endsWith(`\n${one.instance}`));
  for (const name of names) await admin.zadd(key, 1, name);
}

describe('the dead', () => {
  it('leave what they held to those who live, after the lock', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one', { lockMs: 1_000 });
    await one.link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
    await kill(one);
    const two = await member(topic, 'two', { lockMs: 1_000 });
    // Others come and look, too.
    await member(topic, 'three', { group: 'other' });
    expect(await pendingOf(topic)).toBe(1);
    await vi.waitFor(() => expect(two.sink.ids).toEqual(['1']), { timeout: 5_000 });
    expect(two.sink.delivered[0]?.lease?.attempt).toBe(2);
    accept(two.sink.delivered[0]?.lease);
    await vi.waitFor(async () => expect(await pendingOf(topic)).toBe(0));
    expect(gapsOf(two)).toEqual([]);
  });

  it('leave nothing on streams that nobody else reads', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'host-41f7', { role: 'cook' });
    await one.link.publish([outgoing(topic, '1'), outgoing(topic, '2', ['role:cook'])]);
    await vi.waitFor(() => expect(one.sink.ids).toHaveLength(2));
    await kill(one);
    const two = await member(topic, 'host-9c2e', { role: 'waiter' });
    expect(await groupsOf(topic, 'role:cook')).toEqual([]);
    expect(await groupsOf(topic)).toEqual(['polycast:group:waiter/g']);
    expect(await consumersOf(topic, 'waiter/g')).toEqual(['host-9c2e']);
    await two.source.close();
    const left = await admin.keys(keyOf(topic, '*'));
    // Events are kept by design.
    expect(left.sort()).toEqual([keyOf(topic), keyOf(topic, 'role:cook')]);
  });

  it('do not gather over many restarts, killed and polite, and durable ones last as long as events', async () => {
    const topic = freshTopic();
    const keeper = await member(topic, 'keeper', { durable: 'd' });
    for (let life = 0; life < 6; life++) {
      const one = await member(topic, `life-${life}`);
      if (life % 2 === 0) await kill(one);
      else await one.source.close();
    }
    await member(topic, 'last', { group: 'other' });
    const names = (await admin.keys(keyOf(topic, '*'))).map((key) => key.slice(keyOf(topic, '').length)).sort();
    expect(names).toEqual(['*', 'instance:keeper', 'role:tester', '~groups', '~members'].sort());
    expect(await groupsOf(topic)).toEqual(['polycast:group:tester/other', 'polycast:instance:keeper:d']);
    await keeper.source.close();
    expect(await groupsOf(topic)).toContain('polycast:instance:keeper:d');
    // Silent for as long as events are kept.
    const members = keyOf(topic, '~members');
    for (const name of await admin.zrange(members, '0', '-1')) {
      if (name.includes('polycast:instance:')) await admin.zadd(members, 1, name);
    }
    await member(topic, 'after', { group: 'more' });
    expect(await groupsOf(topic)).not.toContain('polycast:instance:keeper:d');
  });

  it('are nobody for whom the server cannot vouch: after its restart everyone is given time', async () => {
    const topic = freshTopic();
    const own = await startRedis({ persistent: true });
    const look = new Redis(own.url);
    look.on('error', () => {});
    const one = await member(topic, 'one', { options: { url: own.url } });
    await one.link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
    const members = keyOf(topic, '~members');
    for (const name of await look.zrange(members, '0', '-1')) await look.zadd(members, 1, name);
    await look.hset(keyOf(topic, '~groups'), 'run', 'another');
    await member(topic, 'two', { group: 'other', options: { url: own.url } });
    expect(((await look.xinfo('GROUPS', keyOf(topic))) as unknown[]).length).toBe(2);
    expect(gapsOf(one)).toEqual([]);
    await Promise.all(sources.splice(0).map((source) => source.close()));
    await Promise.all(opened.splice(0).map((link) => link.close()));
    look.disconnect();
    await own.stop();
  });
});

it('an earlier life that leaves late takes nothing from the new one of the same name', async () => {
  const topic = freshTopic();
  const earlier = await member(topic, 'one');
  const later = await member(topic, 'one');
  await earlier.source.close();
  await later.link.publish([outgoing(topic, '1')]);
  await vi.waitFor(() => expect(later.sink.ids).toEqual(['1']));
  accept(later.sink.delivered[0]?.lease);
  await vi.waitFor(async () => expect(await pendingOf(topic)).toBe(0));
  expect(gapsOf(later)).toEqual([]);
  await later.source.close();
  expect(await groupsOf(topic)).toEqual([]);
});

describe('a member that joins without an answer', () => {
  /** A way to the server on which the next connection that reads is held up as soon as it sends a script. */
  async function heldUp(hold: 'what it sends' | 'the answers') {
    let isArmed = false;
    const held: (() => void)[] = [];
    const way = await wayTo(
      server.port,
      (near, far) => {
        let isReader = false;
        let isHeld = false;
        near.on('data', (bytes) => {
          const text = bytes.toString('latin1').toLowerCase();
          // Others do not ask for their own number.
          if (text.includes('\r\nclient\r\n$2\r\nid\r\n')) isReader = true;
          if (isArmed && isReader && text.includes('evalsha')) isHeld = true;
          if (isHeld && hold === 'what it sends') held.push(() => far.end(bytes));
          else far.write(bytes);
        });
        far.on('data', (bytes) => {
          if (!isHeld || hold === 'what it sends') near.write(bytes);
          else held.push(() => {});
        });
      },
      // Its end comes no sooner than what it sent.
      hold === 'what it sends' ? 5_000 : 0,
    );
    opened.push({ close: async () => way.close() });
    const until = () => vi.waitFor(() => expect(held.length).toBeGreaterThan(0), { timeout: 10_000 });
    return {
      url: `redis://127.0.0.1:${way.port}`,
      arm: () => {
        isArmed = true;
      },
      async cut() {
        isArmed = true;
        way.cut();
        await until();
      },
      letGo: () => {
        for (const go of held) go();
      },
    };
  }

  const leftOf = async (topic: string) => [...(await groupsOf(topic)), ...(await admin.keys(keyOf(topic, '~*')))];
  /** Whatever was on its way has come. */
  const untilAlone = () =>
    vi.waitFor(
      async () => {
        const clients = String(await admin.client('LIST'))
          .trim()
          .split('\n');
        expect(clients.filter((line) => !line.includes('cmd=client'))).toEqual([]);
      },
      { timeout: 10_000 },
    );

  it('and closes then, leaves nothing', async () => {
    const topic = freshTopic();
    const way = await heldUp('the answers');
    const one = await member(topic, 'one', { options: { url: way.url } });
    await way.cut();
    await one.source.close();
    await one.link.close();
    await untilAlone();
    expect(await leftOf(topic)).toEqual([]);
  });

  it('and leaves before the server has read that it joins, leaves nothing', async () => {
    const topic = freshTopic();
    const way = await heldUp('what it sends');
    const one = await member(topic, 'one', { options: { url: way.url } });
    await way.cut();
    const closing = one.source.close();
    await vi.waitFor(async () => expect(await groupsOf(topic)).toEqual([]), { interval: 5, timeout: 10_000 });
    way.letGo();
    await closing;
    await one.link.close();
    await untilAlone();
    expect(await leftOf(topic)).toEqual([]);
  });

  it.each([{ group: 'g' }, { durable: 'd' }])('and is refused for that, leaves nothing: %o', async (who) => {
    const topic = freshTopic();
    // The server knows the scripts.
    await (await member(freshTopic(), 'one', who)).source.close();
    const way = await heldUp('the answers');
    way.arm();
    const options = { url: way.url, connectTimeoutMs: 500 };
    await expect(member(topic, 'one', { ...who, options })).rejects.toMatchObject({ code: 'unreachable' });
    await Promise.all(opened.splice(0).map((link) => link.close()));
    await untilAlone();
    const durable = 'durable' in who ? ['polycast:instance:one:d'] : [];
    expect(await groupsOf(topic)).toEqual(durable);
  });
});

describe('what the server loses', () => {
  it.each(['DEL', 'FLUSHALL'])('is signalled to every member although nobody publishes: %s', async (command) => {
    const own = await startRedis();
    const look = new Redis(own.url);
    const topic = freshTopic();
    const options = { url: own.url };
    // A short lock has the members look often.
    const all = [
      await member(topic, 'one', { options, lockMs: 400 }),
      await member(topic, 'two', { options, lockMs: 400 }),
      await member(topic, 'three', { options, lockMs: 400, durable: 'd' }),
    ];
    for (const one of all) one.sink.capacity = 0;
    await all[0]?.link.publish([outgoing(topic, '1')]);
    if (command === 'DEL') await look.del(keyOf(topic));
    else await look.flushall();
    await vi.waitFor(() => expect(all.map((one) => gapsOf(one).length > 0)).toEqual([true, true, true]), {
      timeout: 5_000,
    });
    for (const one of all) one.sink.setCapacity(10);
    await all[0]?.link.publish([outgoing(topic, '2')]);
    await vi.waitFor(() => expect(all.flatMap(({ sink }) => sink.ids).filter((id) => id === '2')).toHaveLength(2));
    await Promise.all(sources.splice(0).map((source) => source.close()));
    await Promise.all(opened.splice(0).map((link) => link.close()));
    look.disconnect();
    await own.stop();
  });

  it('is signalled by a durable subscription that closes before it has looked, and what comes afterwards is kept', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one', { durable: 'd' });
    one.sink.onDeliver = () => one.sink.setCapacity(0);
    await one.link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
    for (const key of await admin.keys(`polycast:{${topic}}:*`)) await admin.del(key);
    const closing = one.source.close();
    // As core does when it stops.
    one.sink.onDeliver = undefined;
    one.sink.setCapacity(1);
    await closing;
    expect(gapsOf(one).length).toBeGreaterThan(0);
    await one.link.publish([outgoing(topic, '2')]);
    const next = await member(topic, 'one', { durable: 'd' });
    await vi.waitFor(() => expect(next.sink.ids).toEqual(['2']));
  });

  it('is nothing when a topic was idle for longer than events are kept', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one', { options: { maxAgeMs: 1_000 } });
    await one.link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
    accept(one.sink.delivered[0]?.lease);
    expect(await admin.pttl(keyOf(topic))).toBeGreaterThan(60_000);
    expect(await admin.pttl(keyOf(topic, 'role:tester'))).toBeGreaterThan(60_000);
  });

  it('while a handler has it is signalled when it is given back', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one', { options: { batch: 'off' } });
    await one.link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
    await admin.xtrim(keyOf(topic), 'MAXLEN', 0);
    await one.sink.delivered[0]?.lease?.settle({ kind: 'release', delayMs: 0 });
    expect(gapsOf(one)).toEqual([{ kind: 'gap', reason: 'trimmed', count: 1 }]);
  });

  it('while a handler has it, and forgotten by the server since, is signalled when it is to be given back', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one', { options: { batch: 'off' }, lockMs: 600 });
    for (const id of ['1', '2', '3']) await one.link.publish([outgoing(topic, id)]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1', '2', '3']));
    // As by a member whose answer was lost.
    const ids = (await admin.xrange(keyOf(topic), '-', '+')).map(([id]) => id);
    await admin.xtrim(keyOf(topic), 'MAXLEN', 0);
    await admin.xack(keyOf(topic), 'polycast:group:tester/g', ...ids);
    // A sixth of the lock is over, so that a renewal asks the server.
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (const { lease } of one.sink.delivered) {
      await expect(lease?.renew?.()).rejects.toMatchObject({ code: 'lock-lost' });
    }
    const [accepted, ...others] = one.sink.delivered;
    expect(() => accept(accepted?.lease)).toThrow(expect.objectContaining({ code: 'lock-lost' }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(gapsOf(one)).toEqual([]);
    for (const { lease } of others) {
      expect(() => lease?.settle({ kind: 'release', delayMs: 0 })).toThrow(
        expect.objectContaining({ code: 'lock-lost' }),
      );
    }
    await vi.waitFor(() => expect(gapsOf(one)).toEqual([{ kind: 'gap', reason: 'trimmed' }]));
  });

  it('is not what another member has claimed from a handler that gives it back too late', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one', { lockMs: 400 });
    await one.link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
    // Nobody but the other takes what the lock has let go.
    one.sink.setCapacity(0);
    const two = await member(topic, 'two', { lockMs: 400 });
    await vi.waitFor(() => expect(two.sink.ids).toEqual(['1']), { timeout: 5_000 });
    const { lease } = one.sink.delivered[0] as { lease: Lease };
    await expect(lease.renew?.()).rejects.toMatchObject({ code: 'lock-lost' });
    expect(() => lease.settle({ kind: 'release', delayMs: 0 })).toThrow(expect.objectContaining({ code: 'lock-lost' }));
    // What is asked for it goes over the same connection, before this.
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    await one.link.publish([outgoing(topic, '2')]);
    await turn();
    expect(gapsOf(one)).toEqual([]);
  });

  it('to trimming is counted, once for each member', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one', { options: { batch: 'off' }, lockMs: 400 });
    const two = await member(topic, 'two', { options: { batch: 'off' }, lockMs: 400 });
    one.sink.capacity = 0;
    two.sink.capacity = 0;
    // The reads under way bring one each, yet.
    await one.link.publish([outgoing(topic, 'a'), outgoing(topic, 'b')]);
    await vi.waitFor(() => expect([...one.sink.ids, ...two.sink.ids].length).toBeGreaterThan(0));
    for (let id = 0; id < 10; id++) await one.link.publish([outgoing(topic, String(id))]);
    const read = [...one.sink.ids, ...two.sink.ids].length;
    await admin.xtrim(keyOf(topic), 'MAXLEN', 4);
    const gap = { kind: 'gap', reason: 'trimmed', count: 12 - 4 - read };
    await vi.waitFor(() => expect([gapsOf(one), gapsOf(two)]).toEqual([[gap], [gap]]), { timeout: 5_000 });
  });
});

describe('attempts', () => {
  it('do not count what was lost with its connection', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one');
    // Handed to us by the server, and on no socket any more.
    await one.link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
    one.sink.delivered[0]?.lease?.settle({ kind: 'release', delayMs: 0 });
    await vi.waitFor(() => expect(one.sink.delivered).toHaveLength(2));
    expect(one.sink.delivered[1]?.lease?.attempt).toBe(2);
    accept(one.sink.delivered[1]?.lease);
    one.sink.capacity = 0;
    const id = await admin.xadd(keyOf(topic), '*', 'event', outgoing(topic, '2').encoded.json);
    await admin.xreadgroup('GROUP', 'polycast:group:tester/g', 'one', 'STREAMS', keyOf(topic), '>');
    one.sink.setCapacity(10);
    for (let cut = 0; cut < 3; cut++) {
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await vi.waitFor(() => expect(one.signals.filter(({ kind }) => kind === 'reconnected')).toHaveLength(cut + 1));
    }
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1', '1', '2']), { timeout: 5_000 });
    expect(one.sink.delivered[2]?.lease?.attempt).toBe(1);
    expect(one.sink.delivered[2]?.lease?.position).toBe(id);
  });

  it('count each life of the instance that held it', async () => {
    const topic = freshTopic();
    for (let life = 1; life <= 3; life++) {
      const one = await member(topic, 'one', { durable: 'd' });
      if (life === 1) await one.link.publish([outgoing(topic, '1')]);
      await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
      expect(one.sink.delivered[0]?.lease?.attempt).toBe(life);
      await kill(one);
    }
  });
});

describe('leases', () => {
  it('say how long the server has held the event, by its clock', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one', { lockMs: 300 });
    await one.link.publish([outgoing(topic, '1')]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(['1', '1']), { timeout: 5_000 });
    const [first, second] = one.sink.delivered.map(({ lease }) => (lease as { ageMs?: number }).ageMs ?? -1);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(second).toBeGreaterThanOrEqual((first as number) + 200);
    accept(one.sink.delivered[1]?.lease);
  });
});

describe('caughtUp', () => {
  it('resolves when all that was published before is delivered; at once while others are there', async () => {
    const topic = freshTopic();
    const one = await member(topic, 'one');
    await one.link.publish([1, 2, 3].map((id) => outgoing(topic, String(id))));
    await one.link.publish([outgoing(topic, '4', ['role:tester'])]);
    await one.source.caughtUp?.();
    expect(one.sink.ids.sort()).toEqual(['1', '2', '3', '4']);
    const two = await member(topic, 'two');
    one.sink.capacity = 0;
    two.sink.capacity = 0;
    await one.link.publish([outgoing(topic, '5')]);
    await one.source.caughtUp?.();
    await one.link.close();
    await one.source.caughtUp?.();
  });
});

it('what was handed to us and lost on its way is no try, though its lock ran out', async () => {
  const topic = freshTopic();
  const one = await member(topic, 'one', { lockMs: 200, durable: 'd' });
  await one.link.publish([outgoing(topic, '1')]);
  await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
  accept(one.sink.delivered[0]?.lease);
  await one.link.publish([outgoing(topic, '2')]);
  await vi.waitFor(() => expect(one.sink.ids).toEqual(['1', '2']));
  // As if the reply had been lost with which the server handed it over.
  const [group] = await groupsOf(topic);
  one.sink.capacity = 0;
  await one.link.publish([outgoing(topic, '3')]);
  await vi.waitFor(() => expect(one.sink.ids).toEqual(['1', '2', '3']));
  await one.link.publish([outgoing(topic, '4')]);
  await admin.xreadgroup('GROUP', group as string, 'one', 'COUNT', 1, 'STREAMS', keyOf(topic), '>');
  one.sink.setCapacity(10);
  await vi.waitFor(() => expect(one.sink.ids).toContain('4'), { timeout: 5_000 });
  expect(one.sink.delivered.find(({ event }) => event.id === '4')?.lease?.attempt).toBe(1);
});

it('what a durable subscription left comes before what is new, whatever else its instance had open', async () => {
  const topic = freshTopic();
  const transport = redisStreams({ url: server.url, claimIntervalMs: 50 });
  const listen = async (isFirst: boolean) => {
    const { link } = await openLink(transport, topic, 'one');
    opened.push(link);
    const sink = new FakeSink();
    if (isFirst) sources.push(await link.subscribe(request({ group: 'g' }), new FakeSink()));
    const source = await link.subscribe(request({ durable: 'd' }), sink);
    return { link, sink, source };
  };
  const before = await listen(true);
  for (const id of ['1', '2', '3']) await before.link.publish([outgoing(topic, id)]);
  await vi.waitFor(() => expect(before.sink.ids).toEqual(['1', '2', '3']));
  for (const { lease } of before.sink.delivered) await lease?.settle({ kind: 'release', delayMs: 0 });
  await before.source.close();
  for (const id of ['4', '5']) await before.link.publish([outgoing(topic, id)]);
  const { sink, source } = await listen(false);
  sources.push(source);
  await vi.waitFor(() => expect(sink.ids).toHaveLength(5));
  expect(sink.ids).toEqual(['1', '2', '3', '4', '5']);
});
