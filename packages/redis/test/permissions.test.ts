import { setTimeout as pass } from 'node:timers/promises';
import { BroadcastEvent, type Signal } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { redis, redisStreams } from '@polycast/redis';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodedOf, FakeSink, freshTopic, type OpenLink, openLink, outgoing, request } from './link.ts';

let server: RedisServer;
let admin: Redis;
const opened: OpenLink[] = [];

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
beforeEach(() => allow());
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ link }) => link.close()));
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

const allow = (...more: string[]) => admin.acl('SETUSER', 'u', 'reset', 'on', '>pw', '~*', '&*', '+@all', ...more);

async function open(make: typeof redis): Promise<OpenLink> {
  const one = await openLink(make({ url: server.url.replace('//', '//u:pw@') }), freshTopic());
  opened.push(one);
  return one;
}

const failures = (signals: readonly Signal[]) =>
  signals.filter((signal) => signal.kind === 'failed').map(({ what, error }) => `${what} ${error.code}`);

describe.each([
  ['pub/sub', redis, ['publish unauthorized', 'source unauthorized']],
  ['Streams', redisStreams, ['publish unauthorized', 'source unauthorized']],
] as [string, typeof redis, string[]][])('%s', (_, make, reasons) => {
  it('says once why it cannot come back, and comes back when it may', async () => {
    const one = await open(make);
    const sink = new FakeSink();
    const source = await one.link.subscribe(request(), sink);
    await admin.acl('DELUSER', 'u');
    await vi.waitFor(() => expect(failures(one.signals).sort()).toEqual(reasons), { timeout: 5_000 });
    const refused = (await one.link.publish([outgoing(one.topic, '1')])?.then(
      () => undefined,
      (error: unknown) => error,
    )) as Error;
    expect(refused).toMatchObject({ code: 'unauthorized' });
    await allow();
    await vi.waitFor(() => expect(one.signals.map(({ kind }) => kind)).toContain('reconnected'), { timeout: 10_000 });
    // Each retry was refused, and each reason was reported once.
    expect(failures(one.signals).sort()).toEqual(reasons);
    await vi.waitFor(() => one.link.publish([outgoing(one.topic, '2')]));
    await vi.waitFor(() => expect(sink.ids).toContain('2'), { timeout: 10_000 });
    await source.stop();
    await source.close();
  });
});

it('pub/sub says why a channel is not heard any more', async () => {
  const one = await open(redis);
  await one.link.subscribe(request(), new FakeSink());
  // The server ends the connections of those who may not listen any more.
  await allow('resetchannels');
  await vi.waitFor(() => expect(failures(one.signals)).toEqual(['source unauthorized']), { timeout: 5_000 });
});

it.each([redis, redisStreams])('%o subscribes when it may, though the first time it might not', async (make) => {
  const one = await open(make);
  await allow('resetchannels', 'resetkeys');
  for (let tries = 0; tries < 2; tries++) {
    const refused = one.link.subscribe(request(), new FakeSink());
    await expect(refused).rejects.toMatchObject({ code: 'unauthorized' });
  }
  await allow();
  const sink = new FakeSink();
  await one.link.subscribe(request(), sink);
  await one.link.publish([outgoing(one.topic, '1')]);
  await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
});

it('Streams say once why nothing can be read any more', async () => {
  const one = await open(redisStreams);
  const sink = new FakeSink();
  const source = await one.link.subscribe(request({ pollTimeoutMs: 20 }), sink);
  await allow('-xread');
  await vi.waitFor(() => expect(sink.failures.map(({ code }) => code)).toEqual(['unauthorized']), { timeout: 5_000 });
  await allow();
  await one.link.publish([outgoing(one.topic, '1')]);
  await vi.waitFor(() => expect(sink.ids).toEqual(['1']), { timeout: 10_000 });
  expect(sink.failures).toHaveLength(1);
  await source.stop();
});

describe('a group whose user may not write for a while', () => {
  const keyed = (topic: string, id: string) => {
    const event = new BroadcastEvent({ type: 'test', source: '/tester/one', id, attributes: { partitionkey: 'k' } });
    return { event, topic, to: ['*'] as const, encoded: encodedOf(event), expiresAtMs: Number.POSITIVE_INFINITY };
  };

  it.each([
    ['acknowledges what was accepted meanwhile, and the next of its key comes', 300_000],
    ['is handed again what its lock did not outlast', 100],
  ])('%s', async (_, lockMs) => {
    const one = await openLink(
      redisStreams({ url: server.url.replace('//', '//u:pw@'), claimIntervalMs: 50 }),
      freshTopic(),
    );
    opened.push(one);
    const sink = new FakeSink();
    const source = await one.link.subscribe(request({ group: 'g', lockMs }), sink);
    for (const id of ['1', '2']) await one.link.publish([keyed(one.topic, id)]);
    await vi.waitFor(() => expect(sink.ids).toEqual(['1']));
    await allow('resetkeys');
    if (lockMs === 100) await pass(lockMs);
    // As core does: what fails is signalled.
    const settling = sink.delivered[0]?.lease?.settle({ kind: 'accept' });
    if (lockMs === 100) await expect(settling).rejects.toMatchObject({ code: 'unauthorized' });
    else await vi.waitFor(() => expect(failures(one.signals)).toContain('settle unauthorized'));
    await allow();
    sink.onDeliver = (_event, lease) => void lease?.settle({ kind: 'accept' });
    await vi.waitFor(() => expect(new Set(sink.ids)).toEqual(new Set(['1', '2'])), { timeout: 5_000 });
    const group = [`polycast:{${one.topic}}:*`, 'polycast:group:tester/g'] as const;
    await vi.waitFor(async () => expect((await admin.xpending(...group))[0]).toBe(0), { timeout: 5_000 });
    await source.stop();
    await source.close();
  });
});

it.each(['-xgroup', '-eval'])('a group of a user with %s is refused as unauthorized', async (rule) => {
  // A script that the server knows needs no more than EVALSHA.
  await admin.script('FLUSH');
  await allow(rule);
  const one = await open(redisStreams);
  await expect(one.link.subscribe(request({ group: 'g' }), new FakeSink())).rejects.toMatchObject({
    code: 'unauthorized',
  });
});
