import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { cheapestEur, isOffers, makeOffers, SERVICES } from '../src/offers.ts';
import { readSearch } from '../src/search.ts';
import { isProgress, join, OFFERS_ASKED, TRIP_ASKED, type Travel } from '../src/travel.ts';
import { startWeb, type WebTier } from '../src/web.ts';
import { search } from './events.ts';

const query = { from: 'Hamburg', to: 'Lisbon', day: '2026-12-01' };
const trip = { ...query, nights: 5, people: 2 };

describe('the web tier', () => {
  let topic: string;
  let travel: Travel;
  let web: WebTier;
  beforeEach(async () => {
    topic = randomUUID();
    travel = await join({ url: 'memory:', topic }, 'web');
    web = await startWeb(travel, { port: 0, deadlineMs: 200 });
  });
  afterEach(async () => {
    await web.close();
    await travel.close();
  });

  test('says so when no aggregator has the last word', async () => {
    const heard = await search(web.url);
    expect(heard.map(({ event }) => event)).toEqual(['asked', 'failed']);
    expect(heard[1]!.data).toMatchObject({ code: 'timeout' });
  });

  test('passes on nothing that is no progress', async () => {
    await using stranger = await join({ url: 'memory:', topic }, 'aggregator');
    await stranger.subscribe(async (_, delivery) => {
      for (const data of [null, 'x', { kind: 'part', service: 'boats' }, { kind: 'done', missing: ['boats'] }]) {
        await delivery.reply(data);
      }
      await delivery.reply({ kind: 'done', missing: [...SERVICES], totalEur: 0 });
    });
    expect((await search(web.url)).map(({ event }) => event)).toEqual(['asked', 'done']);
  });

  test('asks a question that lives until the deadline', async () => {
    await using aggregator = await join({ url: 'memory:', topic }, 'aggregator');
    const leftMs: number[] = [];
    await aggregator.subscribe(({ expiresAtMs, time }) => void leftMs.push(expiresAtMs - Date.parse(time ?? '')));
    await search(web.url);
    expect(leftMs).toEqual([200]);
  });

  test.each([
    ['search?from=Hamburg&to=&day=2026-12-01', 400, 'schema-mismatch'],
    ['search?from=Hamburg&to=<script>&day=2026-12-01', 400, 'schema-mismatch'],
    [`search?from=${'x'.repeat(41)}&to=Lisbon&day=2026-12-01`, 400, 'schema-mismatch'],
    ['search?from=Hamburg&to=Lisbon&day=2026-13-01', 400, 'schema-mismatch'],
    ['search?from=Hamburg&to=Lisbon&day=2026-12-01&people=10', 400, 'schema-mismatch'],
    ['search?from=Hamburg&to=Lisbon&day=2026-12-01&nights=1e9', 400, 'schema-mismatch'],
    ['search?from=%ff%&to=Lisbon&day=2026-12-01', 400, 'schema-mismatch'],
    ['nowhere', 404, 'not-found'],
    ['/', 404, 'not-found'],
    ['/:99999/', 404, 'not-found'],
  ])('answers %s with %i', async (path, status, code) => {
    const response = await fetch(web.url + path);
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
  });

  test('rejects when its port is taken', async () => {
    const port = Number(new URL(web.url).port);
    await expect(startWeb(travel, { port, deadlineMs: 200 })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('takes GET only', async () => {
    expect((await fetch(web.url, { method: 'POST' })).status).toBe(405);
  });

  test('has room for 200 searches, and makes room when travellers leave', async () => {
    const patient = await startWeb(travel, { port: 0, deadlineMs: 60_000 });
    onTestFinished(() => patient.close());
    const gone = new AbortController();
    const ask = () => fetch(`${patient.url}search?${new URLSearchParams(query)}`, { signal: gone.signal });
    const statuses = (await Promise.all(Array.from({ length: 220 }, ask))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(200);
    expect(statuses.filter((status) => status === 503)).toHaveLength(20);
    gone.abort();
    await vi.waitFor(async () => {
      const response = await fetch(`${patient.url}search?${new URLSearchParams(query)}`);
      expect(response.status).toBe(200);
      await response.body?.cancel();
    });
  });
});

describe('what is made up', () => {
  test('is the same for the same search, and another for another', () => {
    for (const service of SERVICES) {
      const offers = makeOffers(service, trip);
      expect(isOffers(offers)).toBe(true);
      expect(makeOffers(service, { ...trip })).toEqual(offers);
      expect(makeOffers(service, { ...trip, day: '2026-12-02' })).not.toEqual(offers);
    }
  });

  test('is summed up by its cheapest', () => {
    const offer = (priceEur: number) => ({ title: '', detail: '', priceEur });
    expect(cheapestEur([[offer(5), offer(3)], [offer(-1)]])).toBe(2);
    expect(cheapestEur([])).toBe(0);
  });
});

test('what comes off the wire is looked at', async () => {
  const query = new URLSearchParams({ from: ' Hamburg ', to: 'São Paulo', day: '2026-12-01', nights: '2' });
  expect(readSearch(query)).toEqual({ from: 'Hamburg', to: 'São Paulo', day: '2026-12-01', nights: 2, people: 1 });
  for (const data of [undefined, null, [], [null], [{ title: 1 }], [{ title: '', detail: '', priceEur: Number.NaN }]]) {
    expect(isOffers(data)).toBe(false);
  }
  expect(isProgress({ kind: 'done', missing: [], totalEur: 1 })).toBe(true);
  expect(isProgress({ kind: 'done', missing: ['boats'], totalEur: 1 })).toBe(false);
  expect(isProgress(undefined)).toBe(false);

  await using travel = await join({ url: 'memory:', topic: randomUUID() }, 'web');
  for (const type of [TRIP_ASKED, OFFERS_ASKED] as const) {
    const data = { ...trip, people: 0 };
    await expect(travel.publish({ type, data })).rejects.toMatchObject({ code: 'schema-mismatch' });
  }
});
