import type { Signal } from '@polycast/core/adapter';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { type RedisStreamsOptions, redis, redisStreams } from '@polycast/redis';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RoleQuestion } from '../src/server-role.ts';
import { freshTopic, type OpenLink, openLink, outgoing } from './link.ts';
import { failing, type MeddlingLink, meddlingLink } from './meddling-link.ts';

let server: RedisServer;
let way: MeddlingLink;
const opened: OpenLink[] = [];
beforeAll(async () => {
  server = await startRedis();
  way = await meddlingLink(server.port);
});
afterEach(async () => {
  way.meddle = undefined;
  await Promise.all(opened.splice(0).map(({ link }) => link.close()));
});
afterAll(async () => {
  way.close();
  await server.stop();
});

const LOADING = 'LOADING Redis is loading the dataset in memory';

/** By the way on which commands can be meddled with. No keep-alive: what comes back comes back without its help. */
async function open(make: typeof redis, options: RedisStreamsOptions = {}): Promise<OpenLink> {
  const made = make({ url: `redis://127.0.0.1:${way.port}`, pingIntervalMs: 0, ...options });
  const one = await openLink(made, freshTopic());
  opened.push(one);
  return one;
}

/** Refuses commands until as many as `times` were. @returns how many it refused */
function refuse(names: readonly string[], times: number, message = LOADING): () => number {
  let count = 0;
  way.meddle = (name) => {
    if (!names.includes(name) || count >= times) return undefined;
    count++;
    return failing(message);
  };
  return () => count;
}

/** As for a user who may not call INFO: the driver does not wait until the data is loaded. */
const UNCHECKED: RedisStreamsOptions = { ioredis: { enableReadyCheck: false } };

const kindsOf = (signals: readonly Signal[]) => signals.map(({ kind }) => kind);

describe('a server that is back and refuses the first questions', () => {
  it('is published to again as soon as it answers, without a keep-alive', async () => {
    const one = await open(redisStreams, UNCHECKED);
    await one.link.publish([outgoing(one.topic, 'before')]);
    // Is it a primary?
    const refused = refuse(['INFO'], 4);
    way.cut();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 5_000 });
    expect(refused()).toBe(4);
    expect(one.signals[1]).toMatchObject({ mayHaveLost: false });
    await one.link.publish([outgoing(one.topic, 'after')]);
  });

  it('is asked again whether what was written is there, where it is another run', async () => {
    const one = await open(redisStreams, UNCHECKED);
    await one.link.publish([outgoing(one.topic, 'before')]);
    let refused = 0;
    way.meddle = (name) => {
      if (name === 'INFO') return "return 'role:master\\r\\nrun_id:another\\r\\n'";
      return name === 'XRANGE' && refused++ < 4 ? failing(LOADING) : undefined;
    };
    way.cut();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 5_000 });
    expect(refused).toBe(5);
    expect(one.signals[1]).toMatchObject({ mayHaveLost: false });
    await one.link.publish([outgoing(one.topic, 'after')]);
  });

  it('is not stalled: refusing is an answer', async () => {
    const one = await open(redisStreams, { ...UNCHECKED, pingIntervalMs: 200 });
    await one.link.publish([outgoing(one.topic, 'before')]);
    refuse(['INFO'], 10);
    way.cut();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toContain('reconnected'), { timeout: 5_000 });
    expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']);
  });

  it('keeps no publish waiting: it is refused with the reason', async () => {
    const one = await open(redisStreams, UNCHECKED);
    await one.link.publish([outgoing(one.topic, 'before')]);
    refuse(['INFO'], Number.POSITIVE_INFINITY);
    way.cut();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected']));
    await vi.waitFor(() =>
      expect(one.link.publish([outgoing(one.topic, 'lost')])).rejects.toMatchObject({ code: 'throttled' }),
    );
  });

  it('is asked less and less often, and no more once the link is closed', async () => {
    const one = await open(redisStreams, UNCHECKED);
    await one.link.publish([outgoing(one.topic, 'before')]);
    const askedAtMs: number[] = [];
    way.meddle = (name) => {
      // One question is one INFO.
      if (name !== 'INFO') return undefined;
      askedAtMs.push(performance.now());
      return failing(LOADING);
    };
    way.cut();
    await vi.waitFor(() => expect(askedAtMs.length).toBeGreaterThanOrEqual(5), { timeout: 5_000 });
    // The shortest waits are 20, 40, 80 and 160 ms.
    expect((askedAtMs[4] as number) - (askedAtMs[0] as number)).toBeGreaterThan(290);
    opened.splice(0);
    await one.link.close();
    const asked = askedAtMs.length;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(askedAtMs.length).toBe(asked);
  });

  it('for long: the reason is signalled as failed, and it is still asked', async () => {
    const one = await open(redisStreams, UNCHECKED);
    await one.link.publish([outgoing(one.topic, 'before')]);
    refuse(['INFO'], Number.POSITIVE_INFINITY);
    way.cut();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toContain('failed'), { timeout: 15_000 });
    expect(one.signals.find(({ kind }) => kind === 'failed')).toMatchObject({
      what: 'publish',
      error: { code: 'throttled', message: expect.stringContaining('the connection cannot be restored: LOADING') },
    });
    way.meddle = undefined;
    await vi.waitFor(() => expect(kindsOf(one.signals)).toContain('reconnected'), { timeout: 5_000 });
  }, 30_000);
});

describe.each([
  ['pub/sub', redis],
  ['Streams', redisStreams],
] as [string, typeof redis][])('%s', (_, make) => {
  it('does not leave a server alone for as long as it guesses that it will be loading', async () => {
    const one = await open(make);
    let asked = 0;
    way.meddle = (name) =>
      name === 'INFO' && asked++ === 0 ? "return 'loading:1\\r\\nloading_eta_seconds:60\\r\\n'" : undefined;
    const from = performance.now();
    way.cut();
    await vi.waitFor(() => expect(kindsOf(one.signals)).toEqual(['disconnected', 'reconnected']), { timeout: 12_000 });
    expect(performance.now() - from).toBeLessThan(3_000);
    await one.link.publish([outgoing(one.topic, 'after')]);
  }, 15_000);
});

it('a question that was not answered for once is asked in the same way the next time', async () => {
  const error = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
  const answers = [
    () => Promise.reject(error('BUSY Redis is busy running a script')),
    () => Promise.resolve(['server', 'redis', 'role', 'replica']),
  ];
  const server = {
    info: () => Promise.reject(error("NOPERM this user has no permissions to run the 'info' command")),
    call: () => (answers.shift() as () => Promise<unknown>)(),
    ping: () => Promise.resolve('PONG'),
  } as unknown as Redis;
  const question = new RoleQuestion();
  await expect(question.ask(server)).rejects.toThrow('BUSY');
  expect(await question.ask(server)).toMatchObject({ role: 'replica' });
});
