import { setTimeout as pass } from 'node:timers/promises';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeSink, freshTopic, openLink, outgoing, request } from './link.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(persistent: boolean): Promise<{ readonly own: RedisServer; readonly admin: Redis }> {
  const own = await startRedis({ persistent });
  const admin = new Redis(own.url);
  admin.on('error', () => {});
  closing.push(() => own.stop());
  closing.push(async () => admin.disconnect());
  return { own, admin };
}

async function member(url: string, topic: string, who: { readonly group: string } | { readonly durable: string }) {
  const opening = await openLink(redisStreams({ url, claimIntervalMs: 50, batch: 'off' }), topic, 'one', 'tester');
  const sink = new FakeSink();
  const source = await opening.link.subscribe(request({ ...who, addresses: ['*'], lockMs: 400 }), sink);
  closing.push(() => opening.link.close());
  closing.push(() => {
    // Core, too, has what waits for room go on when it closes.
    sink.setCapacity(1_000);
    return source.close();
  });
  const gaps = () => opening.signals.filter(({ kind }) => kind === 'gap');
  const reconnected = () =>
    vi.waitFor(() => expect(opening.signals.map(({ kind }) => kind)).toContain('reconnected'), { timeout: 10_000 });
  return { ...opening, source, sink, gaps, reconnected };
}

const keyOf = (topic: string) => `polycast:{${topic}}:*`;

it.each([false, true])('what is trimmed around a restart of the server is signalled: %s', async (before) => {
  const topic = freshTopic();
  const { own, admin } = await start(true);
  const one = await member(own.url, topic, { group: 'g' });
  await one.link.publish([outgoing(topic, '1')]);
  await vi.waitFor(() => expect(one.sink.ids).toEqual(['1']));
  one.sink.capacity = 0;
  // The read under way brings one, yet.
  await one.link.publish([outgoing(topic, '2')]);
  await vi.waitFor(() => expect(one.sink.ids).toEqual(['1', '2']));
  for (let id = 3; id < 10; id++) await one.link.publish([outgoing(topic, String(id))]);
  if (before) await admin.xtrim(keyOf(topic), 'MAXLEN', 2);
  await own.restart();
  await one.reconnected();
  if (!before) await admin.xtrim(keyOf(topic), 'MAXLEN', 2);
  await vi.waitFor(() => expect(one.gaps().length).toBeGreaterThan(0), { timeout: 5_000 });
  one.sink.setCapacity(10);
  await vi.waitFor(() => expect(one.sink.ids.slice(-2)).toEqual(['8', '9']));
});

describe.each([
  ['a durable subscription', { durable: 'd' }],
  ['a group', { group: 'g' }],
] as const)('when the server is killed right after %s read', (_, who) => {
  it.each([
    ['past what was trimmed, the loss is signalled', true, true],
    ['past what was trimmed, and comes back with nothing, the loss is signalled', false, true],
    ['all there was, no loss is', true, false],
  ])('%s', async (_, persistent, trims) => {
    const topic = freshTopic();
    const { own, admin } = await start(persistent);
    const one = await member(own.url, topic, who);
    const ids = ['1', '2', '3'];
    for (const id of ids) await one.link.publish([outgoing(topic, id)]);
    await vi.waitFor(() => expect(one.sink.ids).toEqual(ids));
    // All within one command of the server, so that the read under way cannot come in between.
    const adding = admin.multi();
    for (const id of ['4', '5', '6', '7']) adding.xadd(keyOf(topic), '*', 'event', outgoing(topic, id).encoded.json);
    if (trims) adding.xtrim(keyOf(topic), 'MAXLEN', 1);
    await adding.exec();
    await vi.waitFor(() => expect(one.sink.ids).toEqual([...ids, ...(trims ? [] : ['4', '5', '6']), '7']));
    for (const { lease } of one.sink.delivered) await lease?.settle({ kind: 'accept' });
    // A turn for the server to be told.
    await pass(20);
    await own.kill();
    await own.restart();
    await one.reconnected();
    await one.link.publish([outgoing(topic, 'next')]);
    await vi.waitFor(() => expect(one.sink.ids).toContain('next'), { timeout: 5_000 });
    await pass(2_500);
    // Once, even if the server had just been asked before it was killed.
    expect(one.gaps()).toHaveLength(trims ? 1 : 0);
  });
});

it('what cannot be given back while closing, as the server is gone, is one failure', async () => {
  const topic = freshTopic();
  const { own } = await start(false);
  const one = await member(own.url, topic, { group: 'g' });
  const ids = Array.from({ length: 20 }, (_, id) => String(id));
  for (const id of ids) await one.link.publish([outgoing(topic, id)]);
  await vi.waitFor(() => expect(one.sink.ids).toEqual(ids));
  await one.source.stop();
  await own.kill();
  const release = { kind: 'release', delayMs: 0 } as const;
  await Promise.all(one.sink.delivered.map(({ lease }) => lease?.settle(release)));
  await one.source.close();
  const failed = one.signals.filter((signal) => signal.kind === 'failed' && signal.what === 'settle');
  expect(failed).toHaveLength(1);
  expect(failed[0]).toMatchObject({ error: { message: expect.stringContaining('20 entries') } });
});
