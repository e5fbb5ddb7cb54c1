import { afterEach, expect, test, vi } from 'vitest';
import { PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect, type Signal } from '../src/index.ts';
import { LoopTransport, leaseOf, stranger } from './loop-transport.ts';

const openOnes: Broadcaster[] = [];

async function open(levels: ConstructorParameters<typeof LoopTransport>[0] = {}) {
  const transport = new LoopTransport(levels);
  const signals: Signal[] = [];
  const me = await connect({
    transport,
    topic: 't',
    self: { role: 'r', instance: 'me' },
    onSignal: (signal) => signals.push(signal),
  });
  openOnes.push(me);
  return { transport, me, signals };
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

/** Handlers that end when told to. */
function gate() {
  const started: unknown[] = [];
  const finish: (() => void)[] = [];
  const handler = (event: { data: unknown }) => {
    started.push(event.data);
    return new Promise<void>((resolve) => void finish.push(resolve));
  };
  return { started, finish, handler };
}

test('one at a time and in order by default; as many at once as concurrency allows', async () => {
  const { transport, me } = await open();
  const one = gate();
  const two = gate();
  await me.subscribe(one.handler);
  await me.subscribe(two.handler, { concurrency: 2 });
  for (const data of [1, 2, 3]) transport.receive(stranger(data));
  expect(one.started).toEqual([1]);
  expect(two.started).toEqual([1, 2]);
  one.finish.shift()?.();
  two.finish.pop()?.();
  await vi.waitFor(() =>
    expect([one.started, two.started]).toEqual([
      [1, 2],
      [1, 2, 3],
    ]),
  );
});

test('events of one partition key wait for one another and let others pass', async () => {
  const { transport, me } = await open();
  const { started, finish, handler } = gate();
  await me.subscribe(handler, { concurrency: 2 });
  transport.receive(stranger('a1', { partitionkey: 'a' }));
  transport.receive(stranger('a2', { partitionkey: 'a' }));
  transport.receive(stranger('b1', { partitionkey: 'b' }));
  expect(started).toEqual(['a1', 'b1']);
  finish[0]?.();
  await vi.waitFor(() => expect(started).toEqual(['a1', 'b1', 'a2']));
});

test('a full buffer drops and says how many, where the service cannot wait', async () => {
  const { transport, me, signals } = await open();
  const { started, handler } = gate();
  const heard: Signal[] = [];
  await me.subscribe(handler, { bufferSize: 2, onSignal: (signal) => heard.push(signal) });
  for (const data of [1, 2, 3, 4, 5]) transport.receive(stranger(data));
  expect(started).toEqual([1]);
  expect(signals).toEqual(heard);
  expect(signals.map((signal) => signal.kind === 'gap' && signal.reason)).toEqual(['overflow', 'overflow']);
});

test('pause holds, resume goes on', async () => {
  const { transport, me } = await open();
  const seen: unknown[] = [];
  const subscription = await me.subscribe((event) => void seen.push(event.data));
  subscription.pause();
  transport.receive(stranger(1));
  expect([seen, subscription.pending, subscription.state]).toEqual([[], 1, 'paused']);
  subscription.resume();
  expect(seen).toEqual([1]);
});

test('a retried event keeps its place, so order holds', async () => {
  const { transport, me } = await open();
  const seen: unknown[] = [];
  await me.subscribe(
    (event, { attempt }) => {
      seen.push([event.data, attempt]);
      if (event.data === 1 && attempt < 3) throw new Error('not yet');
    },
    { retry: { baseMs: 1 } },
  );
  for (const data of [1, 2]) transport.receive(stranger(data));
  await vi.waitFor(() =>
    expect(seen).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 1],
    ]),
  );
});

test('rejecting sets aside at once; the first word counts', async () => {
  const { transport, me, signals } = await open();
  await me.subscribe((_event, delivery) => {
    delivery.reject('poison');
    delivery.accept();
  });
  transport.receive(stranger(1));
  await vi.waitFor(() =>
    expect(signals).toMatchObject([{ kind: 'dead-lettered', reason: 'poison', attempts: 1, kept: 't.dead-letter' }]),
  );
  expect(transport.sent[0]?.[0]).toMatchObject({ topic: 't.dead-letter', event: { deadletterreason: 'poison' } });
});

test('releasing brings it again, and meanwhile others', async () => {
  const { transport, me } = await open();
  const seen: unknown[] = [];
  await me.subscribe((event, delivery) => {
    seen.push([event.data, delivery.attempt]);
    if (event.data === 1 && delivery.attempt === 1) delivery.release({ delayMs: 5 });
  });
  for (const data of [1, 2]) transport.receive(stranger(data));
  await vi.waitFor(() =>
    expect(seen).toEqual([
      [1, 1],
      [2, 1],
      [1, 2],
    ]),
  );
});

test('leases: accepted when the handler returns, renewed while it runs, released on close', async () => {
  const { transport, me } = await open({ settlement: 'native' });
  const { finish, handler } = gate();
  const subscription = await me.subscribe(handler, { lockMs: 30 });
  const [one, two, three] = [leaseOf(), leaseOf(), leaseOf()];
  for (const lease of [one, two, three]) transport.receive(stranger(0), lease);
  await vi.waitFor(() => expect(Math.min(one.renewals, two.renewals)).toBeGreaterThan(1));
  finish[0]?.();
  await vi.waitFor(() => expect(one.settled).toEqual(['accept']));
  await subscription.close({ drainMs: 1 });
  expect([two.settled, three.settled]).toEqual([['release'], ['release']]);
});

test('a lost lock aborts the delivery, and what its handler then says counts for nothing', async () => {
  const { transport, me } = await open({ settlement: 'native' });
  const aborted = vi.fn();
  let finish = () => {};
  await me.subscribe(
    (_event, delivery) => {
      delivery.abortSignal.addEventListener('abort', aborted);
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
    { lockMs: 10 },
  );
  const lease = leaseOf();
  lease.renew = () => Promise.reject(new PolycastError('lock-lost', 'too late'));
  transport.receive(stranger(0), lease);
  await vi.waitFor(() => expect(aborted).toHaveBeenCalled());
  finish();
  await Promise.resolve();
  expect(lease.settled).toEqual([]);
});

test('a group gives a failed delivery back to the service', async () => {
  const { transport, me } = await open({ settlement: 'native', groups: 'native' });
  await me.subscribe(() => Promise.reject(new Error('no')), { group: 'g', retry: { baseMs: 1, maxAttempts: 3 } });
  const [first, last] = [leaseOf(1), leaseOf(3)];
  transport.receive(stranger(0), first);
  await vi.waitFor(() => expect(first.settled).toEqual(['release']));
  transport.receive(stranger(0), last);
  await vi.waitFor(() => expect(last.settled).toEqual(['accept']));
  expect(transport.sent.flat().at(-1)?.topic).toBe('t.dead-letter');
});

test('what was given back comes again, whatever the service counts; what was accepted or set aside does not', async () => {
  const { transport, me } = await open({ settlement: 'native', groups: 'native' });
  const seen: unknown[] = [];
  await me.subscribe(
    (_, delivery) => {
      seen.push(delivery.attempt);
      if (seen.length === 1) delivery.release({ delayMs: 0 });
    },
    { group: 'g' },
  );
  const come = () => {
    const lease = leaseOf(1);
    transport.receive(stranger(0, { id: 'same', sequence: 'e.11' }), lease);
    return lease;
  };
  const first = come();
  await vi.waitFor(() => expect(first.settled).toEqual(['release']));
  // The service lost its count with the connection: its own view is that nobody was given the event.
  come();
  await vi.waitFor(() => expect(seen).toEqual([1, 2]));
  const third = come();
  await vi.waitFor(() => expect(third.settled).toEqual(['accept']));
  expect(seen).toHaveLength(2);
});

test('what has expired is never handed out, not even from the buffer', async () => {
  const { transport, me } = await open();
  const { started, finish, handler } = gate();
  await me.subscribe(handler);
  const soon = new Date(Date.now() + 30).toISOString();
  transport.receive(stranger('late', { expirytime: new Date(Date.now() - 1).toISOString() }));
  transport.receive(stranger(1));
  transport.receive(stranger('late too', { expirytime: soon }));
  transport.receive(stranger(2));
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(Date.parse(soon)));
  finish[0]?.();
  await vi.waitFor(() => expect(started).toEqual([1, 2]));
});

test('numbers that jump are a gap, numbers that come again are dropped, late ones are not lost', async () => {
  const { transport, me, signals } = await open();
  const seen: unknown[] = [];
  await me.subscribe((event) => void seen.push(event.data));
  const tell = (number: number) => transport.receive(stranger(number, { id: `e.${number}`, sequence: `e.1${number}` }));
  for (const number of [1, 2, 5, 5, 3, 3, 6]) tell(number);
  expect(seen).toEqual([1, 2, 5, 3, 6]);
  expect(signals).toEqual([{ kind: 'gap', reason: 'sequence', source: '/stranger', count: 2 }]);
});

test('a gap has a count only for those that were owed each of the missing events', async () => {
  const { transport, me, signals } = await open();
  const heard: Record<string, Signal[]> = { first: [], odd: [], late: [] };
  const listen = (name: string, filter?: string) =>
    me.subscribe(() => {}, {
      ...(filter === undefined ? {} : { filter }),
      onSignal: (signal) => heard[name]!.push(signal),
    });
  const come = (number: number) => transport.receive(stranger(number, { id: `e.${number}`, sequence: `e.1${number}` }));
  await listen('first');
  await listen('odd', "type = 'odd'");
  come(1);
  await listen('late');
  // What comes again is older.
  come(1);
  come(4);
  const may = { kind: 'gap', reason: 'sequence', source: '/stranger' };
  expect(signals).toEqual([{ ...may, count: 2 }]);
  expect(heard).toEqual({ first: [{ ...may, count: 2 }], odd: [may], late: [may] });
  // By now it is owed all that follows.
  come(6);
  expect(heard.late?.[1]).toEqual({ ...may, count: 1 });
});

test('of our own events only copies can be missing', async () => {
  const { transport, me, signals } = await open();
  const seen: unknown[] = [];
  await me.subscribe((event) => void seen.push(event.data));
  await me.publish({ type: 'own', data: 1 });
  transport.loops = false;
  await me.publish({ type: 'own', data: 2 });
  transport.loops = true;
  await me.publish({ type: 'own', data: 3 });
  expect(signals).toEqual([]);
  transport.loops = false;
  await me.publish({ type: 'own', data: 4 }, { carbonCopy: true });
  transport.loops = true;
  await me.publish({ type: 'own', data: 5 }, { carbonCopy: true });
  expect(seen).toEqual([5]);
  // Which of them were to come as copies is not known any more.
  expect(signals).toEqual([{ kind: 'gap', reason: 'sequence', source: '/r/me' }]);
});

test('what expired, and our own, leaves no hole', async () => {
  const { transport, me, signals } = await open();
  const seen: unknown[] = [];
  await me.subscribe((event) => void seen.push(event.data));
  const past = new Date(Date.now() - 1).toISOString();
  transport.receive(stranger(1, { id: 'e.1', sequence: 'e.11' }));
  transport.receive(stranger(2, { id: 'e.2', sequence: 'e.12', expirytime: past }));
  transport.receive(stranger(3, { id: 'e.3', sequence: 'e.13' }));
  await me.publish({ type: 'own', data: 'copy 1' }, { carbonCopy: true });
  await me.publish({ type: 'own', data: 'no copy' });
  await me.publish({ type: 'own', data: 'copy 2' }, { carbonCopy: true });
  expect(seen).toEqual([1, 3, 'copy 1', 'copy 2']);
  expect(signals).toEqual([{ kind: 'expired', source: '/stranger', eventId: 'e.2' }]);
  expect(me.dropped).toEqual({ expired: 1, duplicates: 0, overflow: 0, corrupt: 0 });
});

test('an id that comes twice is delivered once', async () => {
  const { transport, me } = await open();
  const seen: unknown[] = [];
  await me.subscribe((event) => void seen.push(event.data));
  transport.receive(stranger(1, { id: 'same' }));
  transport.receive(stranger(2, { id: 'same' }));
  transport.receive(stranger(3, { id: 'same', source: '/other' }));
  expect(seen).toEqual([1, 3]);
});

test('a later start under our name is signalled once', async () => {
  const { transport, me, signals } = await open();
  await me.subscribe(() => {});
  for (const n of [1, 2]) transport.receive(stranger(0, { source: '/r/me', id: `zzzz.${n}`, sequence: `zzzz.1${n}` }));
  expect(signals).toEqual([{ kind: 'duplicate-instance', instance: 'me' }]);
});

test('what is no event is signalled and skipped', async () => {
  const { transport, me, signals } = await open();
  const seen: unknown[] = [];
  await me.subscribe((event) => void seen.push(event.data));
  for (const text of ['', '{', '[]x', 'null', '{"specversion":"1.0"}', stranger(1)]) transport.receive(text);
  expect(seen).toEqual([1]);
  expect(signals.every(({ kind }) => kind === 'corrupt')).toBe(true);
  expect(signals.length).toBe(5);
});

test('a handler that does not return is signalled', async () => {
  const { transport, me, signals } = await open();
  await me.subscribe(() => new Promise(() => {}), { stalledAfterMs: 10 });
  transport.receive(stranger(1));
  await vi.waitFor(() => expect(signals[0]).toMatchObject({ kind: 'stalled', what: 'handler' }));
});

test('only what fits the filter comes', async () => {
  const { transport, me } = await open();
  const seen: unknown[] = [];
  await me.subscribe((event) => void seen.push(event.data), { filter: { exact: { type: 'told', region: 'eu' } } });
  transport.receive(stranger(1, { region: 'eu' }));
  transport.receive(stranger(2, { region: 'us' }));
  transport.receive(stranger(3));
  expect(seen).toEqual([1]);
});

test('read with for await: asking for the next accepts, leaving releases and closes', async () => {
  const { transport, me } = await open({ settlement: 'native' });
  const subscription = await me.subscribe();
  const leases = [leaseOf(), leaseOf(), leaseOf()];
  for (const lease of leases) transport.receive(stranger(0), lease);
  let count = 0;
  for await (const delivery of subscription) {
    expect(delivery.attempt).toBe(1);
    if (++count === 2) break;
  }
  expect(subscription.state).toBe('closed');
  expect(leases.map(({ settled }) => settled)).toEqual([['accept'], ['release'], ['release']]);
});

test('closing the broadcaster ends a loop that waits', async () => {
  const { me } = await open();
  const subscription = await me.subscribe();
  const read = (async () => {
    let count = 0;
    for await (const _ of subscription) count++;
    return count;
  })();
  await me.close();
  expect(await read).toBe(0);
});

test('what the transport lacks is refused, naming the capability', async () => {
  const { me } = await open({ groups: 'none', durable: 'none', replay: 'none' });
  for (const options of [{ group: 'g' }, { durable: true }, { startFrom: 'earliest' as const }]) {
    await expect(me.subscribe(() => {}, options)).rejects.toMatchObject({ code: 'unsupported' });
  }
});
