import { memory } from '@polycast/memory';
import { afterEach, expect, test, vi } from 'vitest';
import { attr, compileFilter, evaluateFilter, explainFilter, planFilter } from '../src/filter.ts';
import { type Broadcaster, connect } from '../src/index.ts';
import { openTelemetry } from '../src/opentelemetry.ts';
import { LoopTransport } from './loop-transport.ts';

/** An option that does not exist would be ignored: it is refused, with the nearest name. */

const openOnes: Broadcaster[] = [];
const TARGET = { name: 'x', title: 'X', push: () => expect.fail('asked nothing') } as never;
const odd = (value: unknown) => value as never;

async function open() {
  const transport = new LoopTransport();
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, carbonCopy: true });
  openOnes.push(me);
  return { transport, me };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

const refusal = (message: string) => ({ name: 'TypeError', message });

test.each([
  ['connect', { ttl: 5 }, 'connect: unknown option "ttl"; did you mean "ttlMs" or "url"?'],
  ['connect', { tranport: undefined }, 'connect: unknown option "tranport"; did you mean "transport"?'],
  ['connect', { self: { rol: 'r' } }, 'self: unknown option "rol"; did you mean "role"?'],
  ['connect', { retry: { attempts: 3 } }, 'retry: unknown option "attempts"; did you mean "maxAttempts"?'],
  ['publish', { too: 'role:r' }, 'publish: unknown option "too"; did you mean "to"?'],
  ['publish', { ttl: 1 }, 'publish: unknown option "ttl"; did you mean "ttlMs" or "to"?'],
  ['publish', ['role:r'], 'publish: unknown option "0"; did you mean "to"?'],
  ['subscribe', { filtre: "type = 'x'" }, 'subscribe: unknown option "filtre"; did you mean "filter"?'],
  ['subscribe', { retry: { maxms: 3 } }, 'retry: unknown option "maxms"; did you mean "maxMs"?'],
  ['iterate', { filtre: "type = 'x'" }, 'subscribe: unknown option "filtre"; did you mean "filter"?'],
  ['request', { timeout: 5 }, 'request: unknown option "timeout"; did you mean "timeoutMs"?'],
  ['request', { carbonCopy: true }, /^request: unknown option "carbonCopy"; available: "to", /],
  ['members', { rôle: 'r' }, 'members: unknown option "rôle"; did you mean "role"?'],
  ['close', { timeoutMs: 5 }, 'close: unknown option "timeoutMs"; available: "drainMs"'],
  ['close', 'SIGTERM', 'close takes its options as an object'],
  ['closeSubscription', { drain: 5 }, 'close: unknown option "drain"; did you mean "drainMs"?'],
  ['release', { delay: 5 }, 'release: unknown option "delay"; did you mean "delayMs"?'],
] as const)('%s refuses %j', async (call, options, message) => {
  const { transport, me } = await open();
  const subscription = await me.subscribe(() => {});
  const sources = transport.sinks.length;
  const calls: Record<typeof call, () => unknown> = {
    connect: () => connect({ transport, topic: 't', ...(options as object) }),
    publish: () => me.publish({ type: 'x' }, odd(options)),
    subscribe: () => me.subscribe(() => {}, odd(options)),
    iterate: () => me.subscribe(odd(options)),
    request: () => me.request({ type: 'x' }, odd(options)),
    members: () => me.members(odd(options)),
    close: () => me.close(odd(options)),
    closeSubscription: () => subscription.close(odd(options)),
    release: () =>
      new Promise((_, reject) => {
        void me
          .subscribe((_event, delivery) => {
            try {
              delivery.release(odd(options));
            } catch (thrown) {
              reject(thrown);
            }
          })
          .then(() => me.publish({ type: 'x' }));
      }),
  };
  await expect((async () => calls[call]())()).rejects.toMatchObject(
    typeof message === 'string' ? refusal(message) : { name: 'TypeError', message: expect.stringMatching(message) },
  );
  // Nothing was done.
  if (call !== 'release') {
    expect(transport.sent).toEqual([]);
    expect(transport.sinks.length).toBe(sources);
  }
  expect(subscription.state).toBe('open');
});

test('a start position with two meanings is refused', async () => {
  const transport = new LoopTransport({ replay: 'native' });
  const me = await connect({ transport, topic: 't' });
  openOnes.push(me);
  await expect(me.subscribe(() => {}, { startFrom: odd({ timeMs: 5, after: 'x' }) })).rejects.toThrow(
    'startFrom must be',
  );
});

test('a middleware layer without a function of either name is refused', async () => {
  const transport = new LoopTransport();
  const middleware = odd([{ publsh: () => {} }]);
  await expect(connect({ transport, topic: 't', middleware })).rejects.toThrow('middleware must be an array');
});

test('the options of filters and of openTelemetry', () => {
  const event = { type: 'x', id: '1', source: 's', specversion: '1.0' };
  const names = { function: {} };
  const message = /unknown option "function"; did you mean "functions"\?$/;
  expect(() => compileFilter("type = 'x'", odd(names))).toThrow(message);
  expect(() => evaluateFilter("type = 'x'", odd(event), odd(names))).toThrow(message);
  expect(() => explainFilter("type = 'x'", TARGET, odd(names))).toThrow(message);
  expect(() => planFilter("type = 'x'", TARGET, odd({ type: {} }))).toThrow(/did you mean "types"\?$/);
  expect(() => openTelemetry(odd({ traces: {} }))).toThrow(/did you mean "tracer"\?$/);
});

test('memory', () => {
  expect(() => memory(odd({ thread: true }))).toThrow('memory: unknown option "thread"; did you mean "threads"?');
});

test('what a page has added to every object is not an option of the caller', async () => {
  const { me } = await open();
  const prototype = Object.prototype as { addedByAPage?: unknown };
  prototype.addedByAPage = () => {};
  try {
    await (await me.subscribe(() => {}, { concurrency: 2 })).close({ drainMs: 5 });
  } finally {
    delete prototype.addedByAPage;
  }
});

test('an option of an inherited name is refused, too, and options without a prototype are taken', async () => {
  const { me } = await open();
  await expect(me.publish({ type: 'x' }, Object.create({ too: 'role:r' }))).rejects.toThrow('did you mean "to"?');
  const handler = vi.fn();
  await me.subscribe(handler, Object.assign(Object.create(null), { filter: attr('type').eq('x') }));
  await me.publish({ type: 'x' }, Object.assign(Object.create(null), { to: 'role:r' }));
  await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce());
});
