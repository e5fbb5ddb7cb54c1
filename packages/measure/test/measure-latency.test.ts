import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { redisForTests } from '@polycast/local-services';
import { memory } from '@polycast/memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LatencyDriver, type LatencyOptions, measureLatency, openLatency, type Progress } from '../src/index.ts';

type LocalService = Awaited<ReturnType<typeof redisForTests>>;

/** A bus within the process that does to each event what `fate` says: how often each subscriber gets it, and how late. */
function faultyDriver(fate: (number: number) => { copies?: number; after?: number; refuse?: boolean }): LatencyDriver {
  const subscribers: ((payload: unknown) => void)[] = [];
  const waiting: { payload: unknown; after: number }[] = [];
  const deliver = (payload: unknown) => {
    for (const subscriber of subscribers) subscriber(payload);
  };
  return {
    openPublisher: async () => ({
      async publish(payload) {
        const [, number] = payload as [number, number];
        const { copies = 1, after = 0, refuse = false } = fate(number);
        if (refuse) throw new Error(`event ${number} refused`);
        for (const held of waiting.splice(0)) {
          if (held.after > 1) waiting.push({ ...held, after: held.after - 1 });
          else queueMicrotask(() => deliver(held.payload));
        }
        if (after > 0) waiting.push({ payload, after });
        else for (let copy = 0; copy < copies; copy += 1) deliver(payload);
      },
      close: async () => {},
    }),
    openSubscriber: async (_target, _index, onPayload) => {
      subscribers.push(onPayload);
      return { close: async () => {} };
    },
  };
}

const quick = {
  rate: 2_000,
  durationS: 0.2,
  warmUpS: 0.05,
  throughputS: 0,
  quietMs: 300,
} satisfies Partial<LatencyOptions>;

describe('accounting', () => {
  const WARM_UP = 100;
  const SENT = 400;

  it('measures a session as often as asked, each time by itself', async () => {
    // Loses one event of the second measurement: numbers begin anew in each.
    let published = 0;
    const driver = faultyDriver(() => ({ copies: published++ === SENT + WARM_UP + WARM_UP ? 0 : 1 }));
    const session = await openLatency({ ...quick, url: 'fake:', driver });
    const results = [await session.measure(), await session.measure(), await session.measure()];
    expect(results.map(({ sent, received, lost }) => [sent, received, lost])).toEqual([
      [SENT, SENT, 0],
      [SENT, SENT - 1, 1],
      [SENT, SENT, 0],
    ]);
    await session.close();
  });

  it('counts nothing wrong when nothing goes wrong', async () => {
    const result = await measureLatency({ ...quick, url: 'fake:', driver: faultyDriver(() => ({})), subscribers: 3 });
    expect(result).toMatchObject({ sent: SENT, failed: 0, received: 3 * SENT, lost: 0, duplicated: 0, reordered: 0 });
    expect(result.setting).toMatchObject({
      processes: 'shared',
      link: 'in-process',
      subscribers: 3,
      node: process.version,
    });
    expect(result.lastOfNMs.max).toBeGreaterThanOrEqual(result.endToEndMs.p50);
  });

  it('counts lost, duplicated and refused events, each per subscriber, and none of the warm-up', async () => {
    const driver = faultyDriver((number) => ({
      copies: number % 10 === 0 ? 0 : number % 10 === 1 ? 3 : 1,
      refuse: number % 10 === 2,
    }));
    const result = await measureLatency({ ...quick, url: 'fake:', driver, subscribers: 2 });
    const tenth = SENT / 10;
    expect(result).toMatchObject({
      sent: SENT,
      failed: tenth,
      lost: 2 * tenth,
      duplicated: 2 * 2 * tenth,
      received: 2 * (SENT - tenth - tenth + 2 * tenth),
      reordered: 0,
    });
    expect(result.firstError).toBe('event 2 refused');
  });

  it('counts what came after later events', async () => {
    // The event after a held one overtakes it.
    const driver = faultyDriver((number) => ({ after: number % 20 === 5 ? 1 : 0 }));
    const result = await measureLatency({ ...quick, url: 'fake:', driver });
    expect(result).toMatchObject({ lost: 0, duplicated: 0, reordered: SENT / 20 });
  });

  it('measures throughput in a closed loop', async () => {
    const result = await measureLatency({
      ...quick,
      throughputS: 0.2,
      inFlight: 8,
      url: 'fake:',
      driver: faultyDriver(() => ({})),
    });
    expect(result.throughput).toMatchObject({ inFlight: 8, lost: 0, failed: 0 });
    expect(result.throughput!.sent).toBeGreaterThan(8);
    expect(result.throughputPerSecond).toBeGreaterThan(0);
  });

  it('tells no secret of the URL', async () => {
    const url = 'fake://user:secret@127.0.0.1:1/path?token=secret';
    const result = await measureLatency({ ...quick, url, driver: faultyDriver(() => ({})) });
    expect(result.setting.url).toBe('fake://user:***@127.0.0.1:1/path?token=***');
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it('keeps the warm-up out', async () => {
    const driver = faultyDriver((number) => ({ copies: number < WARM_UP ? 0 : 1 }));
    expect(await measureLatency({ ...quick, url: 'fake:', driver })).toMatchObject({ lost: 0, received: SENT });
  });
});

describe('separate processes', () => {
  const driver = new URL('./fixtures/ioredis-driver.mjs', import.meta.url);
  let redis: LocalService;
  beforeAll(async () => {
    redis = await redisForTests();
  });
  afterAll(() => redis.stop());

  it('measures over a real server, last of N over several processes', async () => {
    const seen: Progress[] = [];
    const result = await measureLatency({
      ...quick,
      url: redis.url,
      driver,
      subscribers: 3,
      subscriberProcesses: 2,
      throughputS: 0.1,
      onProgress: (progress) => seen.push(progress),
    });
    expect(result).toMatchObject({ sent: 400, failed: 0, received: 1_200, lost: 0, duplicated: 0, reordered: 0 });
    expect(result.setting).toMatchObject({ processes: 'separate', link: 'loopback' });
    expect(result.endToEndMs.p50).toBeGreaterThan(0);
    expect(result.lastOfNMs.p50).toBeGreaterThanOrEqual(result.endToEndMs.p50);
    expect(result.curves.endToEndMs.at(-1)!.ms).toBe(result.endToEndMs.max);
    expect(result.throughputPerSecond).toBeGreaterThan(0);
    expect([...new Set(seen.map((progress) => progress.step))]).toEqual([
      'connecting',
      'measuring',
      'draining',
      'throughput',
    ]);
  });

  it('shows the delay of a shaped link: no event is faster than the link', async () => {
    const shaped = { delayMs: 20 };
    const result = await measureLatency({ ...quick, url: redis.url, driver, shaped });
    expect(result.setting).toMatchObject({ link: 'shaped', shape: shaped });
    expect(result.curves.publishMs[0]!.ms).toBeGreaterThanOrEqual(39);
    expect(result.curves.endToEndMs[0]!.ms).toBeGreaterThanOrEqual(39);
    expect(result.roundTrips!.publish).toBeGreaterThanOrEqual(0.95);
    expect(result).toMatchObject({ lost: 0, reordered: 0 });
  });

  it('rejects when a process dies, and when told to stop', async () => {
    const dying = new URL('./fixtures/dying-driver.mjs', import.meta.url);
    await expect(measureLatency({ ...quick, url: redis.url, driver: dying })).rejects.toThrow(
      /publisher process ended early/,
    );
    const controller = new AbortController();
    const onProgress = ({ step }: Progress) => {
      if (step === 'measuring') controller.abort();
    };
    const stopped = measureLatency({
      ...quick,
      durationS: 60,
      url: redis.url,
      driver,
      onProgress,
      abortSignal: controller.signal,
    });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('our own transports', () => {
  it('memory, within this process', async () => {
    const result = await measureLatency({ ...quick, url: 'memory:', transport: () => memory(), subscribers: 2 });
    expect(result).toMatchObject({ sent: 400, failed: 0, received: 800, lost: 0, duplicated: 0, reordered: 0 });
    expect(result.setting).toMatchObject({ url: 'memory:', processes: 'shared', link: 'in-process' });
  });

  it('another transport that lives in the process, by its URL: other processes would not reach it', async () => {
    Object.assign(globalThis, { transportHere: memory });
    const transportModule = 'data:text/javascript,export const fromUrl = () => globalThis.transportHere()';
    const result = await measureLatency({ ...quick, url: 'mine:', transportModule });
    expect(result).toMatchObject({ sent: 400, received: 400, lost: 0 });
    expect(result.setting).toMatchObject({ processes: 'shared', link: 'in-process' });
  });

  it.each(['redis:', 'redis+streams:'])('%s, in separate processes', async (scheme) => {
    const redis = await redisForTests();
    // Beside its package.json: the built file, as for anyone who installed it.
    const manifest = createRequire(import.meta.url).resolve('@polycast/redis/package.json');
    const transportModule = new URL('./dist/index.js', pathToFileURL(manifest)).href;
    try {
      const url = redis.url.replace('redis:', scheme);
      const result = await measureLatency({ ...quick, url, transportModule, subscribers: 2, throughputS: 0.2 });
      expect(result).toMatchObject({ sent: 400, failed: 0, received: 800, lost: 0, duplicated: 0, reordered: 0 });
      expect(result.setting).toMatchObject({ processes: 'separate', link: 'loopback' });
      expect(result.throughput).toMatchObject({ failed: 0, lost: 0 });
    } finally {
      await redis.stop();
    }
  });

  it('tells the code of what a process could not do', async () => {
    const manifest = createRequire(import.meta.url).resolve('@polycast/redis/package.json');
    const transportModule = new URL('./dist/index.js', pathToFileURL(manifest)).href;
    const unreachable = measureLatency({ ...quick, url: 'redis://127.0.0.1:1?connectTimeoutMs=500', transportModule });
    await expect(unreachable).rejects.toMatchObject({ name: 'PolycastError', code: 'unreachable' });
  });
});

describe('refusals', () => {
  it.each([
    { rate: 0 },
    { durationS: -1 },
    { payloadBytes: 10 },
    { subscribers: 1.5 },
    { warmUpS: -1 },
    { inFlight: Number.NaN },
  ])('%j is a mistake', async (options) => {
    await expect(measureLatency({ url: 'memory:', ...options })).rejects.toThrow(TypeError);
  });

  it('cannot shape what has no wire', async () => {
    await expect(measureLatency({ url: 'memory:', shaped: { delayMs: 1 } })).rejects.toMatchObject({
      code: 'unsupported',
    });
  });
});
