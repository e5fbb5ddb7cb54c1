import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { PolycastError } from '../src/adapter.ts';
import { connect } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

const open = (transport: LoopTransport, more: object = {}) =>
  connect({ transport, topic: 't', self: { instance: 'me' }, ...more });
const idsOf = (transport: LoopTransport) => transport.sent.map((batch) => batch.map(({ event }) => event.data));

test('a lone event is sent in the same turn, a burst in as few sends as the limits allow', async () => {
  const transport = new LoopTransport();
  await using me = await open(transport);
  await me.publish({ type: 'a', data: 0 });
  expect(idsOf(transport)).toEqual([[0]]);
  await Promise.all(Array.from({ length: 250 }, (_, data) => me.publish({ type: 'a', data })));
  expect(
    idsOf(transport)
      .slice(1)
      .map((batch) => batch.length),
  ).toEqual([100, 100, 50]);
});

test('no more batches are under way than the transport allows; the rest fills the next', async () => {
  const transport = new LoopTransport({}, { maxBatchesInFlight: 2 });
  const taken: (() => void)[] = [];
  transport.onPublish = () => new Promise((resolve) => void taken.push(() => resolve()));
  await using me = await open(transport);
  const sent = [1, 2].map((data) => me.publish({ type: 'a', data }));
  await vi.waitFor(() => expect(transport.sent.length).toBe(1));
  sent.push(me.publish({ type: 'a', data: 3 }));
  await vi.waitFor(() => expect(transport.sent.length).toBe(2));
  sent.push(...[4, 5, 6].map((data) => me.publish({ type: 'a', data })));
  await new Promise((resolve) => setImmediate(resolve));
  expect(idsOf(transport)).toEqual([[1, 2], [3]]);
  taken.shift()?.();
  await vi.waitFor(() => expect(idsOf(transport)).toEqual([[1, 2], [3], [4, 5, 6]]));
  for (const take of taken) take();
  await Promise.all(sent);
});

test('what fails for a while is tried again, in order, and nothing overtakes it', async () => {
  const transport = new LoopTransport();
  let failures = 3;
  transport.onPublish = async () => {
    if (failures-- > 0) throw new PolycastError('throttled', 'slow down');
  };
  transport.loops = false;
  const taken: unknown[] = [];
  const onPublish = transport.onPublish;
  transport.onPublish = async (batch) => {
    await onPublish(batch);
    taken.push(...batch.map(({ event }) => event.data));
  };
  await using me = await open(transport, { retry: { baseMs: 1 } });
  const all = Array.from({ length: 5 }, async (_, data) => {
    await new Promise((resolve) => setTimeout(resolve, data));
    await me.publish({ type: 'a', data });
  });
  await Promise.all(all);
  expect(taken).toEqual([0, 1, 2, 3, 4]);
});

test('only the event that fails is refused', async () => {
  const transport = new LoopTransport();
  transport.onPublish = async (batch) =>
    batch.map(({ event }) => (event.data === 2 ? new PolycastError('unauthorized', 'not 2') : undefined));
  await using me = await open(transport);
  const results = await Promise.allSettled([1, 2, 3].map((data) => me.publish({ type: 'a', data })));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('while the connection is down a publish waits for it and does not use up its tries', async () => {
  const transport = new LoopTransport();
  let up = false;
  transport.onPublish = async () => {
    if (!up) throw new PolycastError('disconnected', 'gone');
  };
  await using me = await open(transport, { retry: { maxAttempts: 2 } });
  transport.context?.signal({ kind: 'disconnected', error: new PolycastError('disconnected', 'gone') });
  const sent = me.publish({ type: 'a' });
  await vi.waitFor(() => expect(transport.sent.length).toBe(1));
  up = true;
  transport.context?.signal({ kind: 'reconnected', downMs: 1, mayHaveLost: true });
  await sent;
});

test.each([
  ['a topic of another alphabet', 'invalid-topic', () => connect({ transport: new LoopTransport(), topic: 'a b' })],
  [
    'a role with a colon',
    'invalid-address',
    () => connect({ transport: new LoopTransport(), topic: 't', self: { role: 'a:b' } }),
  ],
])('%s is refused with %s', async (_what, code, attempt) => {
  await expect(attempt()).rejects.toMatchObject({ code });
});

test.each([
  ['no type', { data: 1 }, {}, 'invalid-event'],
  ['a type of ours', { type: 'polycast.reply' }, {}, 'invalid-event'],
  ['an attribute in capitals', { type: 'a', Tenant: 'x' }, {}, 'invalid-event'],
  ['an attribute that is an object', { type: 'a', tenant: {} }, {}, 'invalid-event'],
  ['a reserved attribute', { type: 'a', sequence: '1' }, {}, 'invalid-event'],
  ['a time that is none', { type: 'a', time: 'noon' }, {}, 'invalid-event'],
  ['an unknown address', { type: 'a' }, { to: 'kitchen' }, 'invalid-address'],
  ['no address', { type: 'a' }, { to: [] }, 'invalid-address'],
  ['a cycle', { type: 'a', data: cycle() }, {}, 'invalid-payload'],
  ['a BigInt', { type: 'a', data: 1n }, {}, 'invalid-payload'],
  ['a function', { type: 'a', data: () => {} }, {}, 'invalid-payload'],
  [
    'a getter that throws',
    {
      type: 'a',
      data: {
        get price() {
          throw new Error('no');
        },
      },
    },
    {},
    'invalid-payload',
  ],
  ['too much', { type: 'a', data: 'x'.repeat(100_001) }, {}, 'payload-too-large'],
])('publishing %s is refused before anything is sent', async (_what, event, options, code) => {
  const transport = new LoopTransport();
  await using me = await open(transport);
  await expect(me.publish(event as never, options as never)).rejects.toMatchObject({ code });
  expect(transport.sent).toEqual([]);
});

test.each([
  ['what is no JSON', { type: 'a', data: 1n }, false],
  ['what is too large', { type: 'a', data: 'x'.repeat(5_000) }, false],
  ['what is too large even in pieces', { type: 'a', data: 'x'.repeat(5_000) }, true],
  ['a type of ours', { type: 'polycast.reply' }, false],
])('refusing %s leaves no hole in the numbers', async (_what, event, chunking) => {
  const transport = new LoopTransport({}, { maxEventBytes: chunking ? 1_000 : 4_096 });
  await using me = await open(transport, { chunking });
  await me.publish({ type: 'a', data: 1 });
  await expect(me.publish(event)).rejects.toBeInstanceOf(PolycastError);
  await me.publish({ type: 'a', data: 2 });
  expect(transport.sent.flat().map((sent) => sent.event.sequence?.split('.')[1])).toEqual(['11', '12']);
});

test('several addresses travel as one list without repetitions; everyone includes the rest', async () => {
  const transport = new LoopTransport();
  await using me = await open(transport);
  await me.publish({ type: 'a' }, { to: ['role:b', 'role:a', 'role:b'] });
  await me.publish({ type: 'a' }, { to: ['role:b', '*'] });
  expect(transport.sent.flat().map(({ to, event }) => [to, event.to])).toEqual([
    [['role:b', 'role:a'], 'role:a,role:b'],
    [['*'], undefined],
  ]);
});

test('publishing after close is refused; close sends what waits', async () => {
  const transport = new LoopTransport();
  const me = await open(transport);
  const sent = me.publish({ type: 'a' });
  await me.close();
  await sent;
  await expect(me.publish({ type: 'a' })).rejects.toMatchObject({ code: 'closed' });
  await me.close();
});

test('a second broadcaster of the same instance is refused until the first is closed', async () => {
  const transport = new LoopTransport();
  const first = await open(transport);
  await expect(open(transport)).rejects.toMatchObject({ code: 'duplicate-instance' });
  await first.close();
  await (await open(transport)).close();
});

test('a large event travels in pieces, whatever it holds, and arrives once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 }),
      fc.integer({ min: 1, max: 60 }),
      async (text, times) => {
        const transport = new LoopTransport({}, { maxEventBytes: 4_096 });
        await using me = await open(transport, { chunking: true, carbonCopy: true });
        const seen: unknown[] = [];
        await me.subscribe((event) => void seen.push(event.data));
        const data = text.repeat(times * 10);
        await me.publish({ type: 'a', data });
        expect(seen).toEqual([data]);
      },
    ),
    { numRuns: 50 },
  );
});

function cycle(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}

test('a long time to live is kept whatever time the event says', async () => {
  const transport = new LoopTransport();
  const [me, other] = await Promise.all(
    ['me', 'other'].map((instance) => connect({ transport, topic: 't', self: { role: 'r', instance } })),
  );
  const came: (number | undefined)[] = [];
  await me?.subscribe(({ ttlMs }) => void came.push(ttlMs));
  const ttlMs = 30 * 86_400_000;
  for (const time of ['2099-01-01T00:00:00Z', '1999-01-01T00:00:00Z']) {
    await other?.publish({ type: 'x', time }, { ttlMs });
  }
  await vi.waitFor(() => expect(came).toEqual([ttlMs, ttlMs]));
  expect(me?.dropped.expired).toBe(0);
  await Promise.all([me?.close(), other?.close()]);
});

test('what a transport refuses at once is a signal for who wants no confirmation', async () => {
  const transport = new LoopTransport({}, { maxBatchesInFlight: Number.POSITIVE_INFINITY });
  const onSignal = vi.fn();
  const me = await connect({ transport, topic: 't', onSignal });
  transport.onPublish = () => {
    throw new PolycastError('overloaded', 'as the test says');
  };
  await me.publish({ type: 'x' }, { confirm: 'none' });
  await vi.waitFor(() => expect(onSignal).toHaveBeenCalledOnce());
  expect(onSignal.mock.lastCall?.[0]).toMatchObject({ kind: 'failed', what: 'publish', error: { code: 'overloaded' } });
  await expect(me.publish({ type: 'x' })).rejects.toMatchObject({ code: 'overloaded' });
  await me.close();
});
