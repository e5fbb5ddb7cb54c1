import { afterEach, beforeEach, expect, type Mock, test, vi } from 'vitest';
import { warnOf } from '../src/connection/unheard.ts';
import { type Broadcaster, type ConnectOptions, connect, PolycastError, type Signal } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

/** What nobody listens to is printed: a handler that fails is never invisible. */

const openOnes: Broadcaster[] = [];
let printed: Mock;

beforeEach(() => {
  printed = vi.fn();
  vi.spyOn(process, 'emitWarning').mockImplementation(printed);
});

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
  vi.restoreAllMocks();
});

async function open(options: Partial<ConnectOptions> = {}) {
  const transport = new LoopTransport();
  const me = await connect({
    transport,
    topic: 'orders',
    self: { role: 'kitchen', instance: 'k1' },
    carbonCopy: true,
    ...options,
  });
  openOnes.push(me);
  return { transport, me };
}

const failing = () => {
  throw new Error('no soup');
};
const once = { maxAttempts: 1 };

test('a handler that fails is printed once, with how to listen', async () => {
  const { me } = await open();
  await me.subscribe(failing, { retry: once });
  await me.publish({ type: 'a', id: '7' });
  await me.publish({ type: 'a', id: '8' });
  await vi.waitFor(() => expect(printed).toHaveBeenCalled());
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(printed.mock.calls).toEqual([
    [
      "orders, kitchen/k1: event 7 was dead-lettered (orders.dead-letter) after 1 attempt: no soup. No signal listener is registered: pass onSignal to connect() or subscribe(), or call broadcaster.onSignal(). Further 'dead-lettered' signals of this broadcaster are not printed.",
      { type: 'PolycastWarning', code: 'POLYCAST_DEAD_LETTERED' },
    ],
  ]);
  await me.publish({ type: 'x' });
  const another = await open({ self: { role: 'kitchen', instance: 'k2' } });
  await another.me.subscribe(failing, { retry: once, deadLetter: 'drop' });
  await another.me.publish({ type: 'a', id: '9' });
  await vi.waitFor(() => expect(printed.mock.lastCall?.[0]).toContain('k2: event 9 was dropped after 1 attempt'));
});

test.each<[string, Partial<ConnectOptions>, object]>([
  ['connect', { onSignal: () => {} }, {}],
  ['subscribe', {}, { onSignal: () => {} }],
])('not where %s is given a listener', async (_, atConnect, atSubscribe) => {
  const { me } = await open(atConnect);
  const handler = vi.fn(failing);
  await me.subscribe(handler, { retry: once, ...atSubscribe });
  await me.publish({ type: 'a' });
  await vi.waitFor(() => expect(handler).toHaveBeenCalled());
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(printed).not.toHaveBeenCalled();
});

test('a listener that is taken away listens no more', async () => {
  const { me } = await open();
  me.onSignal(() => {})();
  await me.subscribe(failing, { retry: once });
  await me.publish({ type: 'a' });
  await vi.waitFor(() => expect(printed).toHaveBeenCalledOnce());
});

test('each kind is printed, and what concerns the whole link where no subscription listens either', async () => {
  const { transport, me } = await open();
  const error = new PolycastError('disconnected', 'gone');
  const [listening, deaf] = [await open({ self: { instance: 'l' } }), { transport, me }];
  await listening.me.subscribe(() => {}, { onSignal: () => {} });
  await deaf.me.subscribe(() => {});
  for (const one of [listening, deaf]) {
    one.transport.context?.signal({ kind: 'reconnected', downMs: 1, mayHaveLost: false });
    one.transport.context?.signal({ kind: 'disconnected', error });
    one.transport.context?.signal({ kind: 'reconnected', downMs: 1, mayHaveLost: true });
  }
  transport.onPublish = async () => {
    throw new PolycastError('unauthorized', 'may not publish');
  };
  await me.publish({ type: 'a' }, { confirm: 'none' });
  await vi.waitFor(() => expect(printed.mock.calls.length).toBe(3));
  expect(printed.mock.calls.map(([message]) => message.split(/(?<=k1: .*?)\. No signal/)[0])).toEqual([
    'orders, kitchen/k1: the connection is lost and being restored: disconnected: gone',
    'orders, kitchen/k1: the connection is back; events published meanwhile may be lost',
    'orders, kitchen/k1: a publish failed: unauthorized: may not publish',
  ]);
});

const error = new PolycastError('internal', 'x');
test.each<[Signal, string]>([
  [{ kind: 'gap', reason: 'trimmed' }, 'events are missing (trimmed)'],
  [{ kind: 'gap', reason: 'sequence', source: '/r/i', count: 3 }, 'events of /r/i are missing (sequence, 3)'],
  [{ kind: 'stalled', what: 'handler', sinceMs: 5.4 }, 'a handler has not returned for 5 ms'],
  [{ kind: 'stalled', what: 'server', sinceMs: 5 }, 'the server has not answered for 5 ms'],
  [{ kind: 'expired', source: '/r/i', eventId: '7' }, 'event 7 of /r/i expired before it could be handled'],
  [{ kind: 'corrupt', error }, 'a message was skipped: internal: x'],
  [{ kind: 'duplicate-instance', instance: 'i' }, 'another process uses the instance id i'],
  [{ kind: 'failed', what: 'settle', error }, 'a delivery could not be settled: internal: x'],
  [{ kind: 'failed', what: 'source', error }, 'a subscription failed: internal: x'],
  [
    { kind: 'dead-lettered', eventId: '7\n(node:1) forged', reason: '\u001b[31mred\u2028', attempts: 2 },
    'event 7 (node:1) forged was dropped after 2 attempts:  [31mred ',
  ],
])('%j', (signal, sentence) => {
  warnOf(signal, 't', { role: 'r', instance: 'i' }, new Set());
  expect(printed.mock.calls[0]?.[0]).toContain(`t, r/i: ${sentence}. No signal listener is registered`);
});

test('without a process it goes to the console', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { process } = globalThis;
  try {
    globalThis.process = undefined as never;
    warnOf({ kind: 'gap', reason: 'trimmed' }, 't', { role: 'r', instance: 'i' }, new Set());
  } finally {
    globalThis.process = process;
  }
  expect(warn.mock.calls[0]?.[0]).toMatch(/^PolycastWarning \[POLYCAST_GAP\]: t, r\/i: events are missing/);
});

test('a loop that is left is no failure, and one that comes after it is printed', async () => {
  const { me } = await open();
  const events = await me.subscribe();
  await me.publish({ type: 'a' });
  for await (const _ of events) break;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(printed).not.toHaveBeenCalled();
  await me.subscribe(failing, { retry: once });
  await me.publish({ type: 'a' });
  await vi.waitFor(() => expect(printed).toHaveBeenCalledOnce());
});

test('a warning that cannot be printed disturbs nothing', async () => {
  printed.mockImplementation(() => {
    throw new Error('no');
  });
  const { transport, me } = await open();
  const handler = vi.fn();
  await me.subscribe(handler);
  transport.context?.signal({ kind: 'disconnected', error: undefined as never });
  transport.context?.signal({ kind: 'reconnected', downMs: 1, mayHaveLost: true });
  await me.publish({ type: 'a' });
  await vi.waitFor(() => expect(printed).toHaveBeenCalledOnce());
  expect(handler).toHaveBeenCalledOnce();
});
