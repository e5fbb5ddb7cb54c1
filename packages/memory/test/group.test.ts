import { BroadcastEvent, type Lease, type Sink } from '@polycast/core/adapter';
import { expect, test } from 'vitest';
import { Group, type GroupMember } from '../src/group.ts';

/** A member with so much room; the test says when there is more. */
function member(room: number) {
  const got: string[] = [];
  let asked = 0;
  let isStopped = false;
  const leases: Lease[] = [];
  let resolve = () => {};
  const sink: Sink = {
    get capacity() {
      return room;
    },
    ready: () => {
      // Whoever asks for ever without a pause would never let this test end.
      if ((room > 0 || isStopped) && ++asked < 1_000) return Promise.resolve();
      return new Promise((done) => {
        resolve = done;
      });
    },
    deliver: (event, lease) => {
      got.push(event.id);
      leases.push(lease as Lease);
      room--;
      return true;
    },
    signal: () => {},
    corrupt: () => {},
    failed: () => {},
  };
  const one: GroupMember = { sink, held: new Set() };
  /** As a source that stops: it takes nothing more, and nobody need wait for it. */
  const stop = () => {
    isStopped = true;
    room = 0;
    resolve();
  };
  const makeRoom = (more: number) => {
    room += more;
    resolve();
  };
  return { one, got, leases, stop, makeRoom, asked: () => asked };
}

const entry = (id: string, partitionkey?: string) =>
  new BroadcastEvent({
    type: 't',
    source: '/s',
    id,
    ...(partitionkey === undefined ? {} : { attributes: { partitionkey } }),
  });
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

test('what waits for room does not ask for it over and over', async () => {
  const group = new Group(['*', 'role:default']);
  const [one, other] = [member(0), member(0)];
  group.join(one.one);
  group.join(other.one);
  group.offer(entry('1'));
  group.offer(entry('2'));
  await turn();
  expect(one.asked() + other.asked()).toBeLessThan(3);
  other.makeRoom(2);
  await turn();
  expect(other.got).toEqual(['1', '2']);
});

test.each(['k1', 'k2', 'k3', 'k4'])('so it is with key %s whose member has no room', async (key) => {
  const group = new Group(['*', 'role:default']);
  const [one, other] = [member(0), member(0)];
  group.join(one.one);
  group.join(other.one);
  group.offer(entry('1', key));
  group.offer(entry('2', key));
  // The key is with one of them; perhaps the other has room first.
  one.makeRoom(9);
  await turn();
  other.makeRoom(9);
  await turn();
  expect([...one.got, ...other.got]).toEqual(['1', '2']);
  expect(one.asked() + other.asked()).toBeLessThan(5);
});

test('a key waits for a member that has stopped and is at work on it, without asking it over and over', async () => {
  const group = new Group(['*', 'role:default']);
  const [one, other] = [member(1), member(0)];
  group.join(one.one);
  group.offer(entry('1', 'k'));
  group.offer(entry('2', 'k'));
  group.join(other.one);
  one.stop();
  group.stop(one.one);
  await turn();
  expect([one.got, one.asked()]).toEqual([['1'], expect.any(Number)]);
  expect(one.asked()).toBeLessThan(5);
  one.leases[0]?.settle({ kind: 'accept' });
  await turn();
  // Now it is the other's, who has no room yet.
  other.makeRoom(1);
  await turn();
  expect(other.got).toEqual(['2']);
});

test('what waits knows for how long, by no wall clock', async () => {
  const group = new Group(['*', 'role:default']);
  const one = member(0);
  group.join(one.one);
  group.offer(entry('1'));
  await turn();
  one.makeRoom(1);
  await turn();
  expect(one.leases[0]?.ageMs).toBeGreaterThanOrEqual(4);
});

test('what a member gives back goes before what waited behind it', async () => {
  const group = new Group(['*', 'role:default']);
  const [one, other] = [member(3), member(0)];
  group.join(one.one);
  for (const id of ['1', '2', '3', '4', '5']) group.offer(entry(id, 'k'));
  group.join(other.one);
  one.stop();
  group.stop(one.one);
  other.makeRoom(9);
  for (const lease of one.leases) lease.settle({ kind: 'release', delayMs: 0 });
  await turn();
  expect(other.got).toEqual(['1', '2', '3', '4', '5']);
});

test('the last member that closes is owed what waits', async () => {
  const group = new Group(['*', 'role:default']);
  const [closing, stays] = [member(0), member(0)];
  group.join(closing.one);
  group.join(stays.one);
  group.offer(entry('1'));
  await group.caughtUp(closing.one);
  group.stop(stays.one);
  let caughtUp = false;
  void group.caughtUp(closing.one).then(() => {
    caughtUp = true;
  });
  group.offer(entry('2'));
  await turn();
  expect(caughtUp).toBe(false);
  closing.makeRoom(1);
  await turn();
  expect([caughtUp, closing.got]).toEqual([true, ['1']]);
});

test('a group is for everyone and its role', () => {
  const group = new Group(['*', 'role:a']);
  expect([['*'], ['role:b', 'role:a'], ['role:b'], ['instance:a']].map((to) => group.isFor(to as never))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('what a handler publishes goes behind what waited before it', async () => {
  const group = new Group(['*', 'role:default']);
  const one = member(0);
  const { deliver } = one.one.sink;
  one.one.sink.deliver = (event, lease) => {
    const taken = deliver(event, lease);
    if (event.id === '1') {
      one.makeRoom(9);
      group.offer(entry('4'));
    }
    return taken;
  };
  group.join(one.one);
  for (const id of ['1', '2', '3']) group.offer(entry(id));
  one.makeRoom(1);
  await turn();
  expect(one.got).toEqual(['1', '2', '3', '4']);
});
