import type { Lease, Source } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { type RedisStreamsOptions, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, type OpenLink, openLink, outgoing, request } from './link.ts';

let server: RedisServer;
let admin: Redis;
const opened: OpenLink[] = [];
const sources: Source[] = [];

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  admin.on('error', () => {});
});
afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.close()));
  await Promise.all(opened.splice(0).map(({ link }) => link.close()));
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

async function open(options: RedisStreamsOptions = {}, topic = freshTopic(), instance = 'one'): Promise<OpenLink> {
  const opening = await openLink(redisStreams({ url: server.url, claimIntervalMs: 50, ...options }), topic, instance);
  opened.push(opening);
  return opening;
}

async function listen(to: OpenLink, more: Parameters<typeof request>[0] = {}, sink = new FakeSink()) {
  const source = await to.link.subscribe(request(more), sink);
  sources.push(source);
  return { source, sink };
}

const accept = (lease: Lease | undefined) => lease?.settle({ kind: 'accept' });
const release = async (lease: Lease | undefined) => {
  await lease?.settle({ kind: 'release', delayMs: 0 });
};
const keyOf = (topic: string, address = '*') => `polycast:{${topic}}:${address}`;

describe('plain subscriptions', () => {
  it('bring batches in order with positions, and leave nothing on the server', async () => {
    const one = await open();
    const { sink, source } = await listen(one);
    await one.link.publish([1, 2, 3].map((id) => outgoing(one.topic, String(id))));
    await one.link.publish([outgoing(one.topic, '4', ['role:tester'])]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3', '4']));
    expect(sink.delivered.map(({ lease }) => lease?.position)).toEqual([
      expect.stringMatching(/^\d+-\d+\.0$/),
      expect.stringMatching(/^\d+-\d+\.1$/),
      expect.stringMatching(/^\d+-\d+\.2$/),
      expect.stringMatching(/^\d+-\d+@role:tester$/),
    ]);
    expect(await admin.xlen(keyOf(one.topic))).toBe(1);
    expect(await admin.xinfo('GROUPS', keyOf(one.topic))).toEqual([]);
    await source.stop();
  });

  it('start in the past: earliest, at a time, after a position', async () => {
    const one = await open();
    await one.link.publish([1, 2, 3].map((id) => outgoing(one.topic, String(id))));
    await one.link.publish([outgoing(one.topic, '4')]);
    const earliest = await listen(one, { startFrom: 'earliest' });
    await vi.waitFor(() => expect(earliest.sink.ids).toEqual(['1', '2', '3', '4']));
    const position = earliest.sink.delivered[1]?.lease?.position ?? '';
    const after = await listen(one, { startFrom: { after: position } });
    await vi.waitFor(() => expect(after.sink.ids).toEqual(['3', '4']));
    const last = earliest.sink.delivered[3]?.lease?.position ?? '';
    const none = await listen(one, { startFrom: { after: last } });
    const past = await listen(one, { startFrom: { timeMs: Date.now() - 60_000 } });
    await vi.waitFor(() => expect(past.sink.ids).toEqual(['1', '2', '3', '4']));
    await one.link.publish([outgoing(one.topic, '5')]);
    await vi.waitFor(() => expect(none.sink.ids).toEqual(['5']));
  });

  it('read no faster than core takes', async () => {
    const one = await open();
    const sink = new FakeSink();
    sink.capacity = 0;
    await listen(one, {}, sink);
    await one.link.publish([outgoing(one.topic, '1')]);
    const free = await listen(one);
    await one.link.publish([outgoing(one.topic, '2')]);
    await vi.waitFor(() => expect(free.sink.ids).toContain('2'));
    sink.setCapacity(10);
    // What was read before the pause began is the one read that was under way.
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2']));
  });

  it('redeliver from memory what was released', async () => {
    const one = await open();
    const { sink } = await listen(one);
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.delivered).toHaveLength(1));
    sink.delivered[0]?.lease?.settle({ kind: 'release', delayMs: 0 });
    await vi.waitFor(() => expect(sink.delivered.map(({ lease }) => lease?.attempt)).toEqual([1, 2]));
  });

  it('say so when entries were trimmed before they were read', async () => {
    const one = await open({ maxLength: 100 });
    const sink = new FakeSink();
    const { source } = await listen(one, {}, sink);
    sink.capacity = 0;
    for (let id = 0; id < 500; id++) await one.link.publish([outgoing(one.topic, String(id))]);
    await admin.xtrim(keyOf(one.topic), 'MAXLEN', 10);
    sink.setCapacity(1_000);
    await vi.waitFor(() => expect(one.signals).toContainEqual({ kind: 'gap', reason: 'trimmed' }));
    await vi.waitFor(() => expect(sink.ids.at(-1)).toBe('499'));
    await source.stop();
  });

  it('go on with a stranger’s entries around them', async () => {
    const one = await open();
    const { sink } = await listen(one);
    await admin.xadd(keyOf(one.topic), '*', 'event', 'no json');
    await admin.xadd(keyOf(one.topic), '*', 'other', 'field');
    await one.link.publish([outgoing(one.topic, 'good')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['good']));
    expect(sink.corrupted.map(({ code }) => code)).toEqual(['corrupt-event', 'corrupt-event']);
  });
});

describe('groups', () => {
  it('hand each entry to one member, and take themselves away with the last', async () => {
    const one = await open();
    const two = await open({}, one.topic, 'two');
    const a = await listen(one, { group: 'g' });
    const b = await listen(two, { group: 'g' });
    for (let id = 0; id < 50; id++) await one.link.publish([outgoing(one.topic, String(id))]);
    await vi.waitFor(() => expect(a.sink.ids.length + b.sink.ids.length).toBe(50));
    expect(new Set([...a.sink.ids, ...b.sink.ids]).size).toBe(50);
    for (const { lease } of [...a.sink.delivered, ...b.sink.delivered]) accept(lease);
    await vi.waitFor(async () =>
      expect((await admin.xpending(keyOf(one.topic), 'polycast:group:tester/g'))[0]).toBe(0),
    );
    await a.source.close();
    expect(await admin.xinfo('GROUPS', keyOf(one.topic))).toHaveLength(1);
    await b.source.close();
    expect(await admin.xinfo('GROUPS', keyOf(one.topic))).toEqual([]);
    expect(await admin.exists(keyOf(one.topic, 'role:tester'))).toBe(0);
  });

  it('deliver again what was released, to whoever is first, with the next attempt', async () => {
    const one = await open();
    const { sink } = await listen(one, { group: 'g' });
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.delivered).toHaveLength(1));
    sink.delivered[0]?.lease?.settle({ kind: 'release', delayMs: 0 });
    await vi.waitFor(() => expect(sink.delivered).toHaveLength(2));
    sink.delivered[1]?.lease?.settle({ kind: 'release', delayMs: 0 });
    await vi.waitFor(() => expect(sink.delivered.map(({ lease }) => lease?.attempt)).toEqual([1, 2, 3]));
    accept(sink.delivered[2]?.lease);
    await vi.waitFor(async () =>
      expect((await admin.xpending(keyOf(one.topic), 'polycast:group:tester/g'))[0]).toBe(0),
    );
  });

  it('deliver to another member when the lock runs out, and tell the first that it lost it', async () => {
    const one = await open();
    const two = await open({}, one.topic, 'two');
    const a = await listen(one, { group: 'g', lockMs: 200 });
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(a.sink.ids).toEqual(['1']));
    a.sink.capacity = 0;
    const b = await listen(two, { group: 'g', lockMs: 200 });
    await vi.waitFor(() => expect(b.sink.ids).toEqual(['1']));
    expect(b.sink.delivered[0]?.lease?.attempt).toBe(2);
    await expect(a.sink.delivered[0]?.lease?.renew?.()).rejects.toMatchObject({ code: 'lock-lost' });
    expect(() => accept(a.sink.delivered[0]?.lease)).toThrow(expect.objectContaining({ code: 'lock-lost' }));
    accept(b.sink.delivered[0]?.lease);
  });

  it('keep a renewed lock', async () => {
    const one = await open();
    const two = await open({}, one.topic, 'two');
    const a = await listen(one, { group: 'g', lockMs: 400 });
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(a.sink.ids).toEqual(['1']));
    const b = await listen(two, { group: 'g', lockMs: 400 });
    const lease = a.sink.delivered[0]?.lease;
    const startedAtMs = performance.now();
    await vi.waitUntil(
      async () => {
        await lease?.renew?.();
        return performance.now() - startedAtMs > 1_200;
      },
      { interval: 50, timeout: 5_000 },
    );
    expect(b.sink.ids).toEqual([]);
    await accept(lease);
  });

  it('settle the events of one entry one by one', async () => {
    const one = await open();
    const { sink } = await listen(one, { group: 'g' });
    await one.link.publish([1, 2, 3].map((id) => outgoing(one.topic, String(id))));
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3']));
    accept(sink.delivered[0]?.lease);
    sink.delivered[1]?.lease?.settle({ kind: 'release', delayMs: 0 });
    accept(sink.delivered[2]?.lease);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2', '3', '2']));
    expect(sink.delivered[3]?.lease?.attempt).toBe(2);
    expect((await admin.xpending(keyOf(one.topic), 'polycast:group:tester/g'))[0]).toBe(1);
    accept(sink.delivered[3]?.lease);
    await vi.waitFor(async () =>
      expect((await admin.xpending(keyOf(one.topic), 'polycast:group:tester/g'))[0]).toBe(0),
    );
  });

  it('sweep away groups of the dead', async () => {
    const one = await open();
    await admin.xgroup('CREATE', keyOf(one.topic), 'polycast:group:dead', '$', 'MKSTREAM');
    await admin.xgroup('CREATE', keyOf(one.topic), 'foreign', '$');
    await listen(one, { group: 'living' });
    const groups = (await admin.xinfo('GROUPS', keyOf(one.topic))) as unknown[][];
    expect(groups.map((flat) => flat[1]).sort()).toEqual(['foreign', 'polycast:group:tester/living']);
  });

  it('are made again when somebody removed them', async () => {
    const one = await open();
    const { sink } = await listen(one, { group: 'g' });
    await one.link.publish([outgoing(one.topic, '1')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    accept(sink.delivered[0]?.lease);
    await vi.waitFor(async () =>
      expect((await admin.xpending(keyOf(one.topic), 'polycast:group:tester/g'))[0]).toBe(0),
    );
    await admin.xgroup('DESTROY', keyOf(one.topic), 'polycast:group:tester/g');
    await one.link.publish([outgoing(one.topic, '2')]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1', '2']));
    expect(one.signals).toContainEqual({ kind: 'gap', reason: 'trimmed' });
    accept(sink.delivered[1]?.lease);
  });
});

describe('durable subscriptions', () => {
  it('resume where they were, with what they held and did not accept', async () => {
    const one = await open();
    const first = await listen(one, { durable: 'd' });
    for (const id of ['1', '2', '3']) await one.link.publish([outgoing(one.topic, id)]);
    await vi.waitFor(() => expect(first.sink.ids).toEqual(['1', '2', '3']));
    accept(first.sink.delivered[0]?.lease);
    await first.source.stop();
    await first.source.close();
    await one.link.publish([outgoing(one.topic, '4')]);
    const second = await listen(one, { durable: 'd' });
    await vi.waitFor(() => expect(second.sink.ids.sort()).toEqual(['2', '3', '4']));
    expect(second.sink.delivered.find(({ event }) => event.id === '2')?.lease?.attempt).toBe(2);
    for (const { lease } of second.sink.delivered) accept(lease);
  });
});

describe('faults', () => {
  /** Deliveries of what is released at once, while a source opens: a turn each, and so fewer than if it never let go. */
  const AT_MOST = 100_000;
  it.each([{ group: 'g' }, { durable: 'd' }])(
    'cut while taking back what an earlier life held, go on: %o',
    async (kind) => {
      const one = await open();
      const earlier = await listen(one, kind);
      await one.link.publish([1, 2, 3].map((id) => outgoing(one.topic, String(id))));
      await one.link.publish([outgoing(one.topic, '4')]);
      await vi.waitFor(() => expect(earlier.sink.ids).toHaveLength(4));
      // As after a crash: the earlier life says nothing more.
      await earlier.source.stop();
      const again = await open({}, one.topic);
      // What a subscription does whose opening failed.
      const sink = new FakeSink();
      let isGone = false;
      sink.onDeliver = (_event, lease) => {
        if (sink.delivered.length === 1) void admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        if (sink.delivered.length < AT_MOST) release(lease).catch(() => {});
      };
      const opening = listen(again, kind, sink).catch(() => {
        isGone = true;
      });
      await opening;
      if (isGone) expect(sink.delivered).toEqual([]);
      else expect(sink.delivered.length).toBeLessThan(AT_MOST);
      sink.onDeliver = undefined;
      expect(sink.delivered.length).toBeLessThan(AT_MOST);
    },
  );

  it.each([true, false])('go on over a restart, persistent: %s', async (persistent) => {
    const own = await startRedis({ persistent });
    const one = await open({ url: own.url });
    const plain = await listen(one);
    const group = await listen(one, { group: 'g' });
    await one.link.publish([outgoing(one.topic, 'before')]);
    await vi.waitFor(() => expect([...plain.sink.ids, ...group.sink.ids]).toEqual(['before', 'before']));
    await own.restart();
    await vi.waitFor(() => expect(one.signals.map(({ kind }) => kind)).toContain('reconnected'), { timeout: 10_000 });
    expect(one.signals).toContainEqual(expect.objectContaining({ kind: 'reconnected', mayHaveLost: !persistent }));
    await one.link.publish([outgoing(one.topic, 'after')]);
    await vi.waitFor(
      () => {
        expect(plain.sink.ids.at(-1)).toBe('after');
        expect(group.sink.ids.at(-1)).toBe('after');
      },
      { timeout: 10_000 },
    );
    const lost = one.signals.filter(({ kind }) => kind === 'gap').length > 0;
    expect(lost).toBe(!persistent);
    for (const { lease } of group.sink.delivered) accept(lease);
    await group.source.close();
    await one.link.close();
    await own.stop();
  });

  it('say storage-full when the server has no memory left', async () => {
    const own = await startRedis({ args: ['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'] });
    const one = await open({ url: own.url });
    const fill = async () => {
      for (;;) await one.link.publish([outgoing(one.topic, 'x', ['*'], 'x'.repeat(100_000))]);
    };
    await expect(fill()).rejects.toMatchObject({ code: 'storage-full', retryable: true });
    await one.link.close();
    await own.stop();
  });
});
