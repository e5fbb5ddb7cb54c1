import { afterEach, expect, test, vi } from 'vitest';
import { type Broadcaster, type ConnectOptions, connect, type Signal } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

/** Events that are larger than the service takes, whatever becomes of their pieces and of the clocks. */

const openOnes: Broadcaster[] = [];
const LARGE = 'x'.repeat(8_000);

const LEASED = { settlement: 'native', durable: 'native' } as const;

async function open(levels: ConstructorParameters<typeof LoopTransport>[0] = {}) {
  const transport = new LoopTransport(levels, { maxEventBytes: 5_000 });
  return { transport, ...(await join(transport)) };
}

async function join(transport: LoopTransport, options: Partial<ConnectOptions> = {}) {
  const signals: Signal[] = [];
  const onSignal = (signal: Signal) => void signals.push(signal);
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, onSignal, ...options });
  openOnes.push(me);
  return { me, signals };
}

/** What somebody with another clock sends. */
async function sentPieces(transport: LoopTransport, clockMs = 0, ttlMs = 600_000): Promise<string[]> {
  transport.loops = false;
  const { me } = await join(transport, { chunking: true });
  const clock = vi.spyOn(Date, 'now');
  clock.mockImplementation(() => Math.round(performance.timeOrigin + performance.now()) + clockMs);
  await me.publish({ type: 'large', data: LARGE }, { ttlMs });
  clock.mockRestore();
  return transport.sent.flat().map(({ encoded }) => encoded.json);
}

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

const turn = () => new Promise((resolve) => setTimeout(resolve, 3));

test.each([-660_000, 660_000])('pieces of a publisher whose clock is %d ms off are put together', async (clockMs) => {
  for (const isLeased of [true, false]) {
    const { transport, me, signals } = await open(isLeased ? LEASED : {});
    const seen: string[] = [];
    await me.subscribe(({ type }) => void seen.push(type), isLeased ? { durable: true } : {});
    for (const piece of await sentPieces(transport, clockMs)) {
      transport.receive(piece, isLeased ? Object.assign(leaseOf(), { ageMs: 5 }) : undefined);
      await turn();
    }
    await vi.waitFor(() => expect(seen).toEqual(['large']));
    expect(signals).toEqual([]);
  }
});

test('time that pieces waited in the service counts', async () => {
  const { transport, me, signals } = await open(LEASED);
  const seen = vi.fn();
  await me.subscribe(seen, { durable: true });
  const pieces = await sentPieces(transport, 660_000, 1_000);
  for (const piece of pieces) transport.receive(piece, Object.assign(leaseOf(), { ageMs: 2_000 }));
  await turn();
  expect(seen).not.toHaveBeenCalled();
  expect(signals.map(({ kind }) => kind)).toEqual(['expired']);
});

test('a piece that comes again alone, after the event was accepted, is no gap', async () => {
  const { transport, me, signals } = await open(LEASED);
  const seen = vi.fn();
  await me.subscribe(seen, { durable: true });
  const pieces = await sentPieces(transport, 0, 200);
  for (const piece of pieces) transport.receive(piece, leaseOf());
  const again = leaseOf(2);
  transport.receive(pieces[1] as string, again);
  await vi.waitFor(() => expect(again.settled).toEqual(['accept']));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(seen).toHaveBeenCalledOnce();
  expect(signals).toEqual([]);
});

test('what comes again without the rest may be missing, or was handled in an earlier life: a gap without a count', async () => {
  const { transport, me, signals } = await open(LEASED);
  await me.subscribe(() => {}, { durable: true });
  const [piece] = await sentPieces(transport, 0, 100);
  transport.receive(piece as string, leaseOf(2));
  await vi.waitFor(() => expect(signals).toHaveLength(1));
  expect(signals[0]).toEqual({ kind: 'gap', reason: 'chunk', source: expect.any(String) });
});

test.each([false, true])(
  'a large dead letter goes where dead letters go, in pieces; chunking: %s',
  async (chunking) => {
    const { transport, me, signals } = await open();
    const { me: reader } = await join(transport, { topic: 't.dead-letter', self: me.self });
    const { me: failing, signals: told } = await join(transport, { chunking });
    const { me: sender } = await join(transport, { chunking: true });
    await failing.subscribe(({ type }, delivery) => {
      if (type === 'large') delivery.reject('no');
    });
    const seen = vi.fn();
    await me.subscribe(seen);
    await sender.publish({ type: 'large', data: LARGE });
    await vi.waitFor(() => expect(told.map(({ kind }) => kind)).toEqual(['dead-lettered']));
    await sender.publish({ type: 'small' });
    await vi.waitFor(() => expect(seen.mock.calls.map(([{ type }]) => type)).toEqual(['large', 'small']));
    expect(signals).toEqual([]);
    const letters = transport.sent.flat().filter(({ topic }) => topic === 't.dead-letter');
    const read: { data: unknown; deadletterreason?: unknown }[] = [];
    await reader.subscribe((event) => void read.push(event));
    for (const { encoded } of letters) transport.receive(encoded.json);
    await vi.waitFor(() => expect(read.map(({ data }) => data)).toEqual([LARGE]));
    expect(read[0]?.deadletterreason).toBe('no');
  },
);

test('an event that only its reason makes too large is set aside, and those behind it are handled', async () => {
  const { transport, me, signals } = await open(LEASED);
  const seen: unknown[] = [];
  await me.subscribe(
    ({ data }, delivery) => {
      seen.push(String(data).length);
      if (data !== 'good') delivery.reject('no'.repeat(100));
    },
    { durable: true },
  );
  const lease = leaseOf();
  transport.receive(stranger('x'.repeat(4_800)), lease);
  transport.receive(stranger('good'), leaseOf());
  await vi.waitFor(() => expect(seen).toEqual([4_800, 4]));
  expect(lease.settled).toEqual(['accept']);
  expect(signals.map(({ kind }) => kind)).toEqual(['dead-lettered']);
});
