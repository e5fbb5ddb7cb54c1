import { afterEach, expect, test, vi } from 'vitest';
import { CORE, describeError, PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect, type Signal, type SubscribeOptions } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

/** Whatever a handler, a listener or a value does, it ends in an outcome. */

const openOnes: Broadcaster[] = [];

async function open(options: SubscribeOptions = {}) {
  const transport = new LoopTransport({
    settlement: 'native',
    groups: 'native',
    deadLetter: 'native',
    durable: 'native',
  });
  const signals: Signal[] = [];
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, onSignal: (signal) => signals.push(signal) });
  openOnes.push(me);
  const listen = (handler: () => unknown) =>
    me.subscribe(handler, { retry: { maxAttempts: 2, baseMs: 1 }, ...options });
  return { transport, me, signals, listen };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const ODD: readonly (readonly [string, () => unknown])[] = [
  ['nothing', () => undefined],
  ['null', () => null],
  ['an object without a prototype', () => Object.create(null)],
  ['an error whose message is an object', () => Object.assign(new Error(), { message: { status: 500 } })],
  [
    'an error whose message throws',
    () =>
      Object.defineProperty(new Error(), 'message', {
        get: () => {
          throw 1;
        },
      }),
  ],
  ['a revoked proxy', revoked],
  ['a symbol', () => Symbol('odd')],
  [
    'an object whose toString throws',
    () => ({
      toString: () => {
        throw new Error('no');
      },
    }),
  ],
  [
    'a cycle',
    () => {
      const self: Record<string, unknown> = {};
      self.self = self;
      return self;
    },
  ],
  ['a very long message', () => new Error('y'.repeat(500_000))],
  ['control characters', () => new Error('a\u0000\u001b[31m\n\ud800')],
  ['a function', () => () => {}],
];

/** They pass for errors of Polycast, and are none. */
const PRETENDERS: readonly (readonly [string, () => unknown])[] = [
  ['without a code', () => Object.create(PolycastError.prototype)],
  ['with a code of its own', () => new PolycastError('mine' as never, 'mine')],
  [
    'behind a proxy that throws',
    () =>
      new Proxy(new PolycastError('closed', 'x'), {
        get: () => {
          throw new Error('no');
        },
      }),
  ],
  [
    'whose code throws',
    () =>
      Object.defineProperty(new PolycastError('closed', 'x'), 'code', {
        get: () => {
          throw 1;
        },
      }),
  ],
];

test.each(PRETENDERS)('an error of Polycast %s is tried again like any other, and stops nothing', async (_, make) => {
  for (const isLeased of [true, false]) {
    for (const fail of [
      () => {
        throw make();
      },
      () => Promise.reject(make()),
    ]) {
      const { transport, signals, me } = await open();
      const seen: unknown[] = [];
      const options = isLeased ? { durable: true } : {};
      await me.subscribe(
        ({ data }) => {
          seen.push(data);
          return data === 'bad' ? fail() : undefined;
        },
        { retry: { maxAttempts: 2, baseMs: 1 }, ...options },
      );
      transport.receive(stranger('bad'), isLeased ? leaseOf() : undefined);
      await vi.waitFor(() => expect(signals.map(({ kind }) => kind)).toEqual(['dead-lettered']));
      transport.receive(stranger('good'), isLeased ? leaseOf() : undefined);
      await vi.waitFor(() => expect(seen).toEqual(['bad', 'bad', 'good']));
    }
  }
  expect(PolycastError.from(make()).code).toBe('internal');
});

test.each(ODD)('an event whose data throws %s is refused with a code or with what was thrown', async (_, make) => {
  const { me } = await open();
  const odd = make();
  const event = {
    get type(): string {
      throw odd;
    },
  };
  const thrown = await me.publish(event).then(
    () => 'nothing',
    (reason: unknown) => reason,
  );
  if (thrown !== odd) expect((thrown as PolycastError).code).toBe('invalid-event');
});

test.each(ODD)('a handler that throws or rejects with %s: two tries, then a dead letter', async (_, make) => {
  for (const fail of [
    () => {
      throw make();
    },
    () => Promise.reject(make()),
  ]) {
    const { transport, signals, listen } = await open({ group: 'g' });
    let calls = 0;
    await listen(() => {
      calls++;
      return fail();
    });
    const lease = leaseOf(2);
    transport.receive(stranger(1), lease);
    await vi.waitFor(() => expect(lease.settled).toEqual(['dead-letter']));
    expect(calls).toBe(1);
    expect(signals.map(({ kind }) => kind)).toEqual(['dead-lettered']);
    expect(typeof (signals[0] as { reason: unknown }).reason).toBe('string');
  }
});

test.each(ODD)('%s is described', (_, make) => {
  const text = describeError(make());
  expect(text.length).toBeGreaterThan(0);
  expect(text.length).toBeLessThanOrEqual(8_192);
  expect(PolycastError.from(make()).code).toBe('internal');
});

// biome-ignore-start lint/suspicious/noThenProperty: that is what is tested
const THENABLES: readonly (readonly [string, () => unknown, 'accept' | 'release'])[] = [
  [
    'whose then throws when it is read',
    () => ({
      get then(): never {
        throw new Error('no');
      },
    }),
    'release',
  ],
  [
    'whose then throws',
    () => ({
      then: () => {
        throw new Error('no');
      },
    }),
    'release',
  ],
  [
    'that resolves twice, then rejects',
    () => ({
      then: (yes: () => void, no: () => void) => {
        yes();
        yes();
        no();
      },
    }),
    'accept',
  ],
  ['that is a promise with a then of its own', () => Object.assign(Promise.resolve(), { then: 5 }), 'accept'],
];
// biome-ignore-end lint/suspicious/noThenProperty: that is what is tested

test.each(THENABLES)('a handler that returns something %s', async (_, make, outcome) => {
  const { transport, listen } = await open({ group: 'g' });
  await listen(make as () => unknown);
  const lease = leaseOf();
  transport.receive(stranger(1), lease);
  await vi.waitFor(() => expect(lease.settled).toEqual([outcome]));
});

test('what listeners throw, now or later, is ignored', async () => {
  const { transport, me } = await open();
  me.onSignal(() => {
    throw Object.create(null);
  });
  me.onSignal(async () => {
    throw new Error('later');
  });
  me.onSignal((() => revoked()) as () => void);
  await me.subscribe(() => {});
  transport.receive('{');
  transport.receive(stranger(1));
  expect(me.dropped.corrupt).toBe(1);
});

test('a dead letter that nothing takes is tried again with growing pauses, signalled, and its event not handled again', async () => {
  const { transport, signals, listen } = await open({ group: 'g', retry: { maxAttempts: 1 } });
  let calls = 0;
  await listen(() => {
    calls++;
    throw new Error('poison');
  });
  let refusals = 0;
  const settled: string[] = [];
  transport.receive(stranger(1), {
    attempt: 1,
    settle: async ({ kind }) => {
      if (kind === 'dead-letter' && ++refusals < 3) throw new PolycastError('throttled', 'busy');
      settled.push(kind);
    },
  });
  await vi.waitFor(() => expect(settled).toEqual(['dead-letter']), { timeout: 5_000 });
  expect(calls).toBe(1);
  expect(signals.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'dead-lettered']);
});

test('a service that counts beyond all measure is believed in the end: the event is set aside unseen', async () => {
  const { transport, signals, listen } = await open({ group: 'g' });
  let calls = 0;
  await listen(() => void calls++);
  const lease = leaseOf(15);
  transport.receive(stranger(1), lease);
  await vi.waitFor(() => expect(lease.settled).toEqual(['dead-letter']));
  expect([calls, signals.length]).toEqual([0, 1]);
});

// ── closing from within ──

const WAYS: readonly (readonly [string, () => Promise<void>])[] = [
  ['at once', async () => {}],
  [
    'after an await',
    async () => {
      await null;
    },
  ],
  ['after a timer', () => new Promise((resolve) => setTimeout(resolve, 1))],
];

test.each(WAYS)('a handler closes its subscription %s, and its delivery is accepted', async (_, wait) => {
  const { transport, me } = await open();
  const seen: unknown[] = [];
  let closed = false;
  const subscription = await me.subscribe(
    async (event) => {
      seen.push(event.data);
      await wait();
      await subscription.close();
      closed = true;
    },
    { durable: true },
  );
  const leases = [leaseOf(), leaseOf()];
  for (const [at, lease] of leases.entries()) transport.receive(stranger(at), lease);
  await vi.waitFor(() => expect(closed).toBe(true));
  await vi.waitFor(() => expect(leases.map(({ settled }) => settled)).toEqual([['accept'], ['release']]));
  await vi.waitFor(() => expect(subscription.state).toBe('closed'));
  expect(seen).toEqual([0]);
});

test.each(WAYS)('a handler closes its broadcaster %s, and its delivery is accepted', async (_, wait) => {
  const { transport, me } = await open();
  let closed = false;
  await me.subscribe(
    async () => {
      await wait();
      await me.close();
      closed = true;
    },
    { durable: true },
  );
  const lease = leaseOf();
  transport.receive(stranger(1), lease);
  await vi.waitFor(() => expect(closed).toBe(true));
  await me.close();
  expect(lease.settled).toEqual(['accept']);
});

test.each([
  ['', false],
  [', also when one has drained before', true],
])('a handler that drains waits for the others, not for itself%s', async (_, before) => {
  const { transport, me } = await open();
  const order: unknown[] = [];
  let finish = () => {};
  const subscription = await me.subscribe(
    async (event) => {
      if (event.data === 1) {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        order.push('other');
      } else {
        await null;
        await subscription.drain();
        order.push('self');
      }
    },
    { concurrency: 2 },
  );
  if (before) {
    transport.receive(stranger(0));
    await vi.waitFor(() => expect(order.splice(0)).toEqual(['self']));
  }
  transport.receive(stranger(1));
  transport.receive(stranger(2));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(order).toEqual([]);
  finish();
  await vi.waitFor(() => expect(order).toEqual(['other', 'self']));
});

test('whoever closes from outside waits for the handler', async () => {
  const { transport, me } = await open();
  let finish = () => {};
  let closed = false;
  const subscription = await me.subscribe(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  transport.receive(stranger(1));
  const closing = subscription.close().then(() => {
    closed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(closed).toBe(false);
  finish();
  await closing;
});

test('a loop may close its subscription', async () => {
  const { transport, me } = await open();
  const subscription = await me.subscribe();
  transport.receive(stranger(1));
  const seen: unknown[] = [];
  for await (const { event } of subscription) {
    seen.push(event.data);
    await subscription.close();
  }
  expect(seen).toEqual([1]);
});

// ── nothing of ours stays ──

function countingSignal() {
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = ((...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  }) as typeof signal.addEventListener;
  signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  }) as typeof signal.removeEventListener;
  return { signal, abort: () => controller.abort(), listeners: () => listeners };
}

test('no listener stays on the signal of a subscription, a request or a publish', async () => {
  const { me } = await open();
  const { signal, listeners } = countingSignal();
  const subscription = await me.subscribe(() => {}, { abortSignal: signal });
  expect(listeners()).toBe(1);
  await subscription.close();
  expect(listeners()).toBe(0);
  await me.request({ type: 'q' }, { abortSignal: signal, timeoutMs: 1 });
  await me.publish({ type: 'x' }, { abortSignal: signal });
  await vi.waitFor(() => expect(listeners()).toBe(0));
});

test('aborting the signal closes the subscription', async () => {
  const { me } = await open();
  const { signal, abort } = countingSignal();
  const subscription = await me.subscribe(() => {}, { abortSignal: signal });
  abort();
  await vi.waitFor(() => expect(subscription.state).toBe('closed'));
});

// ── two copies ──

test('a transport of another copy of core is refused when connecting', async () => {
  const transport = Object.assign(new LoopTransport(), { core: { ...CORE } });
  await expect(connect({ transport, topic: 't' })).rejects.toMatchObject({
    code: 'invalid-configuration',
    message: expect.stringContaining('another copy of @polycast/core'),
  });
  const same = Object.assign(new LoopTransport(), { core: CORE });
  await (await connect({ transport: same, topic: 't' })).close();
});

/** Standard Schema answers a result; a schema is not our code, and may do anything. */
function withSchema(validate: () => unknown) {
  const schemas = { a: { '~standard': { version: 1, vendor: 'odd', validate } } } as never;
  const transport = new LoopTransport({ settlement: 'native', deadLetter: 'native' });
  const signals: Signal[] = [];
  return connect({ transport, topic: 't', schemas, carbonCopy: true, onSignal: (signal) => signals.push(signal) }).then(
    (me) => {
      openOnes.push(me as unknown as Broadcaster);
      return { transport, me, signals };
    },
  );
}

test.each(ODD)('a schema that throws, rejects with or answers %s: publish rejects with a code', async (what, make) => {
  const thrown = () => {
    throw make();
  };
  const answers = [thrown, () => Promise.reject(make()), () => ({ issues: make() ?? [make()] })];
  // An object without issues is a result without a value.
  if (typeof make() !== 'object' || make() === null) answers.push(make as never, (async () => make()) as never);
  for (const validate of answers) {
    const { me, transport } = await withSchema(validate);
    const error: unknown = await me.publish({ type: 'a' } as never).catch((refused: unknown) => refused);
    expect(error, what).toBeInstanceOf(PolycastError);
    expect(error).toMatchObject({ code: 'schema-mismatch' });
    expect(transport.sent).toEqual([]);
  }
});

test.each(ODD)('a schema that throws or answers %s: what arrives ends as a dead letter', async (_, make) => {
  for (const validate of [
    () => {
      throw make();
    },
    () => ({ issues: make() ?? [make()] }),
  ]) {
    const { me, transport, signals } = await withSchema(validate);
    const handler = vi.fn();
    await me.subscribe(handler, { retry: { maxAttempts: 2, baseMs: 1 } });
    transport.receive(stranger(1, { type: 'a' }));
    await vi.waitFor(() => expect(signals).toMatchObject([{ kind: 'dead-lettered' }]));
    expect(handler).not.toHaveBeenCalled();
  }
});

test('a schema may answer with a promise of another library', async () => {
  const { me, transport } = await withSchema(() => ({
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested
    then: (resolve: (result: unknown) => void) => setTimeout(resolve, 1, { issues: [{ message: 'too late' }] }),
  }));
  await expect(me.publish({ type: 'a' } as never)).rejects.toThrow('schema-mismatch: a: data: too late');
  expect(transport.sent).toEqual([]);
});
