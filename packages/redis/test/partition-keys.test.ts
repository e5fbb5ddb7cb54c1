import { setTimeout as pass } from 'node:timers/promises';
import type { Address, BroadcastEvent, Lease, Source } from '@polycast/core/adapter';
import { BroadcastEvent as Event } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { redisStreams } from '@polycast/redis';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { encodedOf, FakeSink, freshTopic, openLink, outgoing, request } from './link.ts';

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

const keyOf = (topic: string, address = '*') => `polycast:{${topic}}:${address}`;
const pendingOf = async (topic: string, address = '*') =>
  Number((await admin.xpending(keyOf(topic, address), 'polycast:group:g'))[0]);

function keyed(topic: string, id: string, partitionkey: string | undefined, to: readonly Address[] = ['*']) {
  const attributes = {
    ...(partitionkey === undefined ? {} : { partitionkey }),
    ...(to[0] === '*' ? {} : { to: to.join(',') }),
  };
  const event = new Event({ type: 'test', source: '/tester/one', id, data: id, attributes });
  return { event, topic, to, encoded: encodedOf(event), expiresAtMs: Number.POSITIVE_INFINITY };
}

/** What all members together did. */
class Record {
  readonly accepted = new Map<string, number[]>();
  readonly running = new Map<string, number>();
  readonly faults: string[] = [];
  total = 0;

  begin(event: BroadcastEvent): void {
    const key = event.partitionkey as string;
    const now = (this.running.get(key) ?? 0) + 1;
    this.running.set(key, now);
    if (now > 1) this.faults.push(`two of key ${key} at once: ${event.id}`);
  }

  end(event: BroadcastEvent): void {
    const key = event.partitionkey as string;
    this.running.set(key, (this.running.get(key) ?? 1) - 1);
  }

  accept(event: BroadcastEvent): void {
    const key = event.partitionkey as string;
    const list = this.accepted.get(key) ?? [];
    const number = Number(event.id);
    if (list.includes(number)) return;
    if ((list.at(-1) ?? -1) > number) this.faults.push(`key ${key}: ${number} after ${list.at(-1)}`);
    list.push(number);
    this.accepted.set(key, list);
    this.total++;
  }
}

/** A member whose handler takes a while, fails now and then, and may be killed. */
class Member {
  readonly #record: Record;
  readonly #random: () => number;
  readonly #running = new Set<BroadcastEvent>();
  #dead = false;
  #link: Awaited<ReturnType<typeof openLink>>['link'] | undefined;
  #source: Source | undefined;

  constructor(record: Record, random: () => number) {
    this.#record = record;
    this.#random = random;
  }

  async open(topic: string, instance: string): Promise<void> {
    const { link } = await openLink(redisStreams({ url: server.url, claimIntervalMs: 20 }), topic, instance);
    this.#link = link;
    const sink = new FakeSink();
    sink.capacity = 50;
    sink.onDeliver = (event, lease) => void this.#handle(event, lease);
    const addresses: Address[] = ['*', 'role:tester', `instance:${instance}`];
    this.#source = await link.subscribe(request({ group: 'g', addresses, lockMs: 400 }), sink);
  }

  async #handle(event: BroadcastEvent, lease: Lease | undefined): Promise<void> {
    if (this.#dead) return;
    this.#record.begin(event);
    this.#running.add(event);
    await pass(this.#random() * 4);
    if (this.#dead) return;
    this.#running.delete(event);
    this.#record.end(event);
    const fails = this.#random() < 0.05;
    try {
      if (!fails) this.#record.accept(event);
      await lease?.settle(fails ? { kind: 'release', delayMs: 0 } : { kind: 'accept' });
    } catch {}
  }

  async close(): Promise<void> {
    await this.#source?.stop();
    await vi.waitFor(() => expect(this.#running.size).toBe(0));
    await this.#source?.close();
    await this.#link?.close();
  }

  /** Says nothing more; what it held comes again when its lock has run out. */
  async kill(): Promise<void> {
    this.#dead = true;
    for (const event of this.#running) this.#record.end(event);
    await this.#source?.stop();
    await this.#link?.close();
  }
}

it('order and exclusion hold for any keys and members, while members come, close and crash', async () => {
  const history = fc.record({
    seed: fc.integer(),
    keys: fc.integer({ min: 1, max: 7 }),
    members: fc.integer({ min: 2, max: 4 }),
    /** How many events are published, and what happens then. */
    steps: fc.array(
      fc.record({
        events: fc.integer({ min: 1, max: 40 }),
        deed: fc.constantFrom('none', 'none', 'join', 'close', 'kill'),
      }),
      { minLength: 2, maxLength: 6 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ seed, keys, members, steps }) => {
      const topic = freshTopic();
      const record = new Record();
      let state = seed | 1;
      const random = () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
        return state / 0x7fff_ffff;
      };
      let instances = 0;
      const living: Member[] = [];
      const join = async () => {
        const one = new Member(record, random);
        living.push(one);
        await one.open(topic, `m${instances++}`);
      };
      for (let at = 0; at < members; at++) await join();
      const publisher = await openLink(redisStreams({ url: server.url }), topic, 'publisher');
      let published = 0;
      for (const { events, deed } of steps) {
        const batch = Array.from({ length: events }, () =>
          keyed(topic, String(published++), `k${Math.floor(random() * keys)}`),
        );
        await publisher.link.publish(batch);
        await pass(random() * 10);
        if (deed === 'join') await join();
        else if (deed !== 'none' && living.length > 1) await living.shift()?.[deed]();
      }
      await vi.waitFor(() => expect(record.total).toBe(published), { timeout: 15_000 });
      expect(record.faults).toEqual([]);
      await vi.waitFor(async () => expect(await pendingOf(topic)).toBe(0), { timeout: 5_000 });
      await publisher.link.close();
      for (const one of living) await one.close();
    }),
    { numRuns: 6, endOnFailure: true },
  );
}, 120_000);

it('what is released keeps its key waiting, and comes before what follows', async () => {
  const topic = freshTopic();
  const { link } = await openLink(redisStreams({ url: server.url, claimIntervalMs: 20 }), topic, 'one');
  const sink = new FakeSink();
  const source = await link.subscribe(request({ group: 'g' }), sink);
  await link.publish([keyed(topic, 'a', 'k'), keyed(topic, 'b', 'k'), keyed(topic, 'c', 'other')]);
  await vi.waitFor(() => expect(sink.ids).toEqual(['a', 'c']));
  sink.delivered[0]?.lease?.settle({ kind: 'release', delayMs: 0 });
  await vi.waitFor(() => expect(sink.ids).toEqual(['a', 'c', 'a']));
  expect(sink.delivered[2]?.lease?.attempt).toBe(2);
  sink.delivered[2]?.lease?.settle({ kind: 'accept' });
  await vi.waitFor(() => expect(sink.ids).toEqual(['a', 'c', 'a', 'b']));
  expect(sink.delivered[3]?.lease?.attempt).toBe(1);
  for (const at of [1, 3]) sink.delivered[at]?.lease?.settle({ kind: 'accept' });
  await vi.waitFor(async () => expect(await pendingOf(topic)).toBe(0));
  await source.close();
  await link.close();
  expect((await admin.keys(keyOf(topic, '~*'))).filter((key) => key.includes('~queue'))).toEqual([]);
});

it('a head that a stranger acknowledged, or that was trimmed, does not block its key', async () => {
  const topic = freshTopic();
  const { link } = await openLink(redisStreams({ url: server.url, claimIntervalMs: 20 }), topic, 'one');
  const sink = new FakeSink();
  const source = await link.subscribe(request({ group: 'g', lockMs: 300 }), sink);
  await link.publish(['a', 'b', 'c'].map((id) => keyed(topic, id, 'k')));
  await vi.waitFor(() => expect(sink.ids).toEqual(['a']));
  const [first] = await admin.xrange(keyOf(topic), '-', '+', 'COUNT', 1);
  await admin.xack(keyOf(topic), 'polycast:group:g', first?.[0] as string);
  await vi.waitFor(() => expect(sink.ids.slice(0, 2)).toEqual(['a', 'b']), { timeout: 5_000 });
  await source.close();
  await link.close();
});

it('a key waits for an event for several addresses until the group has accepted it, by whichever', async () => {
  const topic = freshTopic();
  const members = await Promise.all(
    (['a', 'b'] as const).map(async (role) => {
      const opening = await openLink(redisStreams({ url: server.url, claimIntervalMs: 20 }), topic, role, role);
      const sink = new FakeSink();
      const addresses: Address[] = ['*', `role:${role}`, `instance:${role}`];
      const source = await opening.link.subscribe(request({ group: 'g', addresses }), sink);
      return { link: opening.link, sink, source };
    }),
  );
  const [one, two] = members as [(typeof members)[0], (typeof members)[0]];
  const both: Address[] = ['role:a', 'role:b'];
  await one.link.publish([
    keyed(topic, '1', 'k', both),
    keyed(topic, '2', 'k', ['role:a']),
    keyed(topic, '3', 'k', ['role:b']),
    outgoing(topic, '4', ['role:a']),
    outgoing(topic, '5', ['role:b']),
  ]);
  await vi.waitFor(() => expect([...one.sink.ids, ...two.sink.ids].sort()).toEqual(['1', '4', '5']));
  for (const { sink } of members) for (const { lease } of sink.delivered) lease?.settle({ kind: 'accept' });
  await vi.waitFor(() => expect([...one.sink.ids, ...two.sink.ids].sort()).toEqual(['1', '2', '3', '4', '5']));
  for (const { sink } of members) {
    const last = sink.delivered.at(-1);
    expect(['2', '3']).toContain(last?.event.id);
    last?.lease?.settle({ kind: 'accept' });
  }
  await vi.waitFor(async () => {
    const left = await Promise.all(both.map((address) => pendingOf(topic, address)));
    expect(left).toEqual([0, 0]);
  });
  for (const { source, link } of members) {
    await source.close();
    await link.close();
  }
  expect(await admin.keys(keyOf(topic, '~*'))).toEqual([]);
});

it('who catches up gets what waits for its key, too', async () => {
  const topic = freshTopic();
  const { link } = await openLink(redisStreams({ url: server.url }), topic, 'one');
  const sink = new FakeSink();
  sink.onDeliver = (_event, lease) => void pass(1).then(() => lease?.settle({ kind: 'accept' }));
  const source = await link.subscribe(request({ group: 'g' }), sink);
  await link.publish(Array.from({ length: 100 }, (_, n) => keyed(topic, String(n), n % 3 === 0 ? 'k' : 'l')));
  await source.caughtUp?.();
  expect(sink.ids).toHaveLength(100);
  await source.close();
  await link.close();
});
