import { getEventListeners } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { type Broadcaster, type ConnectOptions, connect, type Delivery, PolycastError } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

/** Options that make no sense are refused before anything is done, and leave nothing behind. */

const openOnes: Broadcaster[] = [];

class Watched extends LoopTransport {
  opened = 0;
  override open(...context: Parameters<LoopTransport['open']>) {
    this.opened++;
    return super.open(...context);
  }
}

async function open(options: Partial<ConnectOptions> = {}) {
  const transport = new Watched();
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, carbonCopy: true, ...options });
  openOnes.push(me);
  return { transport, me };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

const odd = (value: unknown) => value as never;
const NO_SIGNALS: readonly unknown[] = [
  null,
  5,
  'abort',
  {},
  { aborted: false },
  { aborted: false, addEventListener: () => {} },
  () => {},
];

test.each(NO_SIGNALS)('a signal that is %s is refused before anything is done', async (value) => {
  const signal = odd(value);
  const refusal = { name: 'TypeError', message: 'abortSignal must be an AbortSignal' };
  const { me } = await open();
  const handler = vi.fn();
  await me.subscribe(handler);
  await expect(me.publish({ type: 'x' }, { abortSignal: signal })).rejects.toMatchObject(refusal);
  const unwanted = vi.fn();
  await expect(me.subscribe(unwanted, { abortSignal: signal })).rejects.toMatchObject(refusal);
  expect(() => me.request({ type: 'q' }, { abortSignal: signal })).toThrow(refusal.message);
  await me.publish({ type: 'y' });
  await vi.waitFor(() => expect(handler.mock.calls.map(([event]) => event.type)).toEqual(['y']));
  expect(unwanted).not.toHaveBeenCalled();

  const transport = new Watched();
  await expect(connect({ transport, topic: 't', abortSignal: signal })).rejects.toMatchObject(refusal);
  expect(transport.opened).toBe(0);
});

test('a signal that throws when it is used hurts only the call that it was given to', async () => {
  const refuse = () => {
    throw new Error('no');
  };
  const { me } = await open();
  const handler = vi.fn();
  await me.subscribe(handler);
  for (const [signal, outcome] of [
    [{ aborted: false, addEventListener: () => {}, removeEventListener: refuse }, 'ends'],
    [{ aborted: false, addEventListener: refuse, removeEventListener: () => {} }, 'refused'],
  ] as const) {
    const ended = (call: () => PromiseLike<unknown>) =>
      Promise.resolve()
        .then(call)
        .then(
          () => 'ends',
          (thrown) => (thrown.message === 'abortSignal must be an AbortSignal' ? 'refused' : thrown),
        );
    expect(await ended(() => me.publish({ type: 'x' }, { abortSignal: odd(signal) }))).toBe(outcome);
    expect(await ended(() => me.request({ type: 'q' }, { abortSignal: odd(signal), timeoutMs: 1 }))).toBe(outcome);
    const subscribing = async () => (await me.subscribe(() => {}, { abortSignal: odd(signal) })).close();
    expect(await ended(subscribing)).toBe(outcome);
  }
  await me.publish({ type: 'y' });
  await vi.waitFor(() => expect(handler.mock.lastCall?.[0].type).toBe('y'));
});

test('options that are no object are refused, not ignored', async () => {
  const { me } = await open();
  const none = odd('role:kitchen');
  await expect(me.publish({ type: 'x' }, none)).rejects.toThrow('publish takes its options as an object');
  await expect(me.subscribe(() => {}, none)).rejects.toThrow('subscribe takes its options as an object');
  await expect(me.subscribe(() => {}, { retry: odd(5) })).rejects.toThrow('retry takes its options as an object');
  await expect(me.members(none)).rejects.toThrow('members takes its options as an object');
  expect(() => me.request({ type: 'q' }, none)).toThrow('request takes its options as an object');
});

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, '1'])('members does not wait for %s ms', async (timeoutMs) => {
  const { me } = await open();
  await expect(me.members({ timeoutMs: odd(timeoutMs) })).rejects.toThrow('timeoutMs must be a finite number');
});

const refuse = (): never => {
  throw Object.create(null);
};

test.each<[string, () => object]>([
  ['whose type', () => Object.defineProperty({}, 'type', { enumerable: true, get: refuse })],
  ['whose subject', () => Object.defineProperty({ type: 'x' }, 'subject', { enumerable: true, get: refuse })],
  ['whose data', () => Object.defineProperty({ type: 'x' }, 'data', { enumerable: true, get: refuse })],
  ['whose list of names', () => new Proxy({ type: 'x' }, { ownKeys: refuse })],
])('an event %s throws is refused with a code', async (_, make) => {
  const { me, transport } = await open();
  await expect(me.publish(odd(make()))).rejects.toMatchObject({ code: 'invalid-event' });
  const asking = async () => me.request(odd(make()), { timeoutMs: 10 });
  await expect(asking()).rejects.toMatchObject({ code: 'invalid-event' });
  expect(transport.sent).toEqual([]);
  const options = Object.defineProperty({}, 'to', { get: refuse });
  await expect(me.publish({ type: 'x' }, options)).rejects.toMatchObject({ code: 'invalid-event' });
});

test('a request that is refused or aborted before it begins does not listen', async () => {
  const { me, transport } = await open();
  transport.onSubscribe = vi.fn(async () => {
    throw new PolycastError('unauthorized', 'may not listen');
  });
  expect(() => me.request({ type: 'q' }, { maxReplies: 0 })).toThrow('maxReplies');
  const request = async () => me.request({ type: 'q' }, { abortSignal: AbortSignal.abort() });
  await expect(request()).rejects.toMatchObject({ code: 'aborted' });
  expect(transport.onSubscribe).not.toHaveBeenCalled();
});

test.each([5, 'x', {}, [null], [5], [{ publish: 5 }], [{ deliver: 'x' }], () => {}])(
  'middleware that is %j is refused before a connection is made',
  async (middleware) => {
    const transport = new Watched();
    await expect(connect({ transport, topic: 't', middleware: odd(middleware) })).rejects.toThrow(
      /^middleware must be an array/,
    );
    expect(transport.opened).toBe(0);
    // The instance is free.
    await open({ transport, self: { role: 'r', instance: 'i' } });
  },
);

test('a subscription listener that is no function is refused', async () => {
  const { me } = await open();
  await expect(me.subscribe(() => {}, { onSignal: odd('log') })).rejects.toThrow('onSignal must be a function');
  expect(() => me.onSignal(odd({}))).toThrow('onSignal must be a function');
});

test.each([5n, Symbol('s'), Object.create(null)])(
  'a wait that is no number does not spoil what it is given to',
  async (value) => {
    const { me } = await open();
    const subscription = await me.subscribe(() => {});
    expect(() => subscription.close({ drainMs: odd(value) })).toThrow(TypeError);
    expect(subscription.state).toBe('open');
    expect(() => me.close({ drainMs: odd(value) })).toThrow(TypeError);
    await me.publish({ type: 'x' });
    await expect(me.subscribe(() => {}, { retry: { baseMs: odd(value) } })).rejects.toThrow(TypeError);
    await me.close();
    expect(subscription.state).toBe('closed');
  },
);

test('what middleware or a schema held until the broadcaster was closed is refused, and not sent', async () => {
  const hub = await open();
  const handler = vi.fn();
  await hub.me.subscribe(handler);
  const ways: Partial<ConnectOptions>[] = [
    {
      middleware: [
        {
          publish: async (event, _context, next) => {
            await late?.close();
            return next(event);
          },
        },
      ],
    },
    {
      schemas: {
        x: {
          '~standard': {
            version: 1,
            vendor: 'test',
            validate: async (value: unknown) => {
              await late?.close();
              return { value };
            },
          },
        },
      },
    },
  ];
  let late: Broadcaster | undefined;
  for (const way of ways) {
    late = (await open({ transport: hub.transport, ...way })).me;
    await expect(late.publish({ type: 'x', data: 1 })).rejects.toMatchObject({ code: 'closed' });
  }
  expect(handler).not.toHaveBeenCalled();
});

test.each([['kitchen'], [null], [5]])(
  'who says of itself %j is refused, and does not go by another role',
  async (self) => {
    const connecting = connect({ transport: new LoopTransport(), topic: 't', self: odd(self) });
    await expect(connecting).rejects.toThrow('self must be an object');
  },
);

test('a reader may ask for several deliveries at once', async () => {
  const { me } = await open();
  const reader = (await me.subscribe({ concurrency: 2 }))[Symbol.asyncIterator]();
  const asked = Array.from({ length: 4 }, () => reader.next());
  for (let data = 1; data <= 4; data++) await me.publish({ type: 'x', data });
  const read = (await Promise.all(asked)) as IteratorYieldResult<Delivery>[];
  expect(read.map(({ value }) => value.event.data)).toEqual([1, 2, 3, 4]);
  await reader.return?.();
});

test('nothing of ours stays on a signal that lives for ever', async () => {
  const { signal } = new AbortController();
  const { me } = await open({ abortSignal: signal });
  await me.publish({ type: 'x' }, { abortSignal: signal });
  await me.publish({ type: 'x', data: odd(5n) }, { abortSignal: signal }).catch(() => {});
  await me.request({ type: 'q' }, { abortSignal: signal, timeoutMs: 1 });
  await (await me.subscribe(() => {}, { abortSignal: signal })).close();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
