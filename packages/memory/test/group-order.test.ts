import { type Broadcaster, connect } from '@polycast/core';
import { memory } from '@polycast/memory';
import { expect, test } from 'vitest';

const KEYS = [undefined, 'k1', 'k2', 'k3'];
const MAX_EVENTS = 300;
const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers in [0, 1), the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

test.each(Array.from({ length: 20 }, (_, seed) => seed + 1))(
  'members without room pause, come and go, and publish themselves: each key keeps its order (seed %i)',
  async (seed) => {
    const random = randomFrom(seed);
    const among = (count: number) => Math.floor(random() * count);
    const hub = `group-order-${seed}`;
    const opened: Broadcaster[] = [];
    const open = async (role: string) => {
      const one = await connect({ transport: memory({ hub }), topic: 't', self: { role } });
      opened.push(one);
      return one;
    };
    const publishers = [await open('a'), await open('b')];
    const sent = new Map<string, number[]>();
    const got = new Map<string, number[]>();
    const publishing: Promise<void>[] = [];
    let events = 0;
    const publish = () => {
      const [by, key] = [among(publishers.length), KEYS[among(KEYS.length)]];
      const lane = `${by} ${key ?? ''}`;
      const numbers = sent.get(lane) ?? [];
      sent.set(lane, numbers);
      numbers.push(numbers.length);
      events++;
      const options = key === undefined ? {} : { partitionKey: key };
      const data = { lane, n: numbers.length - 1 };
      publishing.push((publishers[by] as Broadcaster).publish({ type: 'x', data }, options));
    };
    const handle = ({ data }: { data: unknown }) => {
      const { lane, n } = data as { lane: string; n: number };
      got.set(lane, [...(got.get(lane) ?? []), n]);
      if (random() < 0.15 && events < MAX_EVENTS) publish();
      return random() < 0.3 ? pass(0) : undefined;
    };
    const join = async () => (await open('w')).subscribe(handle, { group: 'g', bufferSize: 1 + among(3) });
    const members = [await join(), await join()];
    const closing: Promise<void>[] = [];
    for (let step = 0; step < 60; step++) {
      const roll = random();
      const member = members[among(members.length)] as (typeof members)[number];
      if (roll < 0.2) member.state === 'paused' ? member.resume() : member.pause();
      else if (roll < 0.3) await pass(0);
      else if (roll < 0.34) members.push(await join());
      else if (roll < 0.38 && members.length > 1) {
        members.splice(members.indexOf(member), 1);
        member.resume();
        closing.push(member.close());
      } else publish();
    }
    for (const member of members) member.resume();
    const count = () => [...got.values()].reduce((sum, { length }) => sum + length, 0);
    for (let tries = 0; tries < 1_000 && count() < events; tries++) await pass(2);
    await Promise.all([...publishing, ...closing]);
    await Promise.all(opened.map((one) => one.close()));
    for (const [lane, numbers] of sent) {
      const here = got.get(lane) ?? [];
      // Without a key another member may be quicker.
      const inOrder = lane.endsWith(' ') ? [...here].sort((one, other) => one - other) : here;
      expect(inOrder, `lane '${lane}'`).toEqual(numbers);
    }
  },
);
