import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { aggregate } from '../src/aggregator.ts';
import { join as joinPlace, type Progress, type Role, TRIP_ASKED } from '../src/travel.ts';

const offer = (priceEur: number) => [{ title: 'An offer', detail: '', priceEur }];

/** Everybody of one search, in memory. */
function place() {
  const topic = randomUUID();
  return async (role: Role) => {
    const travel = await joinPlace({ url: 'memory:', topic }, role);
    onTestFinished(() => travel.close({ drainMs: 0 }));
    return travel;
  };
}

test('takes the first good answer of each service, and names who gave none', async () => {
  const join = place();
  await aggregate(await join('aggregator'));
  const replying = async (role: Role, ...replies: unknown[]) => {
    const travel = await join(role);
    await travel.subscribe(async (_, delivery) => {
      for (const data of replies) await delivery.reply(data);
    });
  };
  await replying('flights', 'rubbish', offer(100), offer(1));
  await replying('hotels', offer(50));
  await replying('cars', [{ title: 'No price', detail: '' }], []);
  await replying('deals');

  const web = await join('web');
  const trip = { from: 'Hamburg', to: 'Lisbon', day: '2026-12-01', nights: 5, people: 2 };
  const heard: Progress[] = [];
  const options = { to: 'role:aggregator', ttlMs: 300, timeoutMs: 10_000 } as const;
  for await (const { data } of web.request({ type: TRIP_ASKED, data: trip }, options)) {
    heard.push(data as Progress);
    if (heard.at(-1)?.kind === 'done') break;
  }
  const parts = heard.flatMap((one) => (one.kind === 'part' ? [one] : []));
  expect(parts.sort((one, other) => (one.service < other.service ? -1 : 1))).toEqual([
    { kind: 'part', service: 'flights', from: expect.stringMatching(/^flights-/), offers: offer(100) },
    { kind: 'part', service: 'hotels', from: expect.stringMatching(/^hotels-/), offers: offer(50) },
  ]);
  expect(heard.at(-1)).toEqual({ kind: 'done', missing: ['cars', 'deals'], totalEur: 150 });
});

test('an instance that closes leaves its search to another one', async () => {
  const join = place();
  const first = await join('aggregator');
  let taken = () => {};
  const took = new Promise<void>((resolve) => {
    taken = resolve;
  });
  const subscription = await aggregate(first, { onTaken: taken });
  const web = await join('web');
  const trip = { from: 'Hamburg', to: 'Lisbon', day: '2026-12-01', nights: 5, people: 2 };
  const options = { to: 'role:aggregator', ttlMs: 1_000, timeoutMs: 10_000 } as const;
  const asking = (async () => {
    for await (const { data, from } of web.request({ type: TRIP_ASKED, data: trip }, options)) {
      if ((data as Progress).kind === 'done') return from.instance;
    }
    return undefined;
  })();
  await took;
  const second = await join('aggregator');
  await aggregate(second);
  await subscription.close({ drainMs: 0 });
  await first.close();
  expect(await asking).toBe(second.self.instance);
});
