import { randomUUID } from 'node:crypto';
import type { LocalService } from '@polycast/local-services';
import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest';
import { SERVICES } from '../src/offers.ts';
import { type Heard, partsOf, search, servicesOf } from './events.ts';
import { pageOf, run } from './program.ts';
import { TRANSPORTS } from './transports.ts';

// A dozen programs start at once, each with several connections.
vi.setConfig({ testTimeout: 60_000 });

const quick = SERVICES.flatMap((service) => ['--slow', `${service}=20`]);
const all = [...SERVICES].sort();
/** More searches than this must not be needed until a certain one of two instances takes one. */
const MANY = 30;

const last = (heard: readonly Heard[]) => heard.at(-1)!;

// They mostly wait.
describe.concurrent.each(TRANSPORTS)('over $name', ({ start, url: urlOf, afterKill, deadlineMs }) => {
  let server: LocalService | undefined;
  let url: string;
  beforeAll(async () => {
    server = await start?.();
    url = urlOf(server?.url ?? '');
  });
  afterAll(() => server?.stop());

  const common = () => ['--url', url, '--topic', `travel-${randomUUID()}`, '--deadline', String(deadlineMs), ...quick];

  test('every part comes, from one instance each, then the sum', async (context) => {
    const program = run(context, ...common());
    const page = await pageOf(program);
    const heard = await search(page);
    expect(heard.map(({ event }) => event)).toEqual(['asked', 'part', 'part', 'part', 'part', 'done']);
    expect(heard[0]!.data).toMatchObject({ deadlineMs, services: SERVICES, web: expect.stringMatching(/^web-/) });
    expect(servicesOf(heard)).toEqual(all);
    for (const { service, from } of partsOf(heard)) expect(from).toMatch(new RegExp(`^${service}-`));
    const cheapest = heard.flatMap(({ data }) =>
      'offers' in data ? [(data.offers as { priceEur: number }[])[0]!] : [],
    );
    const sum = cheapest.reduce((total, { priceEur }) => total + priceEur, 0);
    expect(last(heard).data).toMatchObject({
      missing: [],
      totalEur: sum,
      aggregator: expect.stringMatching(/^aggregator-/),
    });
    expect(await program.stop()).toBe(0);
  });

  test('what is not there at the deadline is named, and the rest is shown', async (context) => {
    const page = await pageOf(run(context, ...common(), '--deadline', '1500', '--slow', 'hotels=30000'));
    const heard = await search(page);
    expect(servicesOf(heard)).toEqual(['cars', 'deals', 'flights']);
    expect(last(heard)).toMatchObject({ event: 'done', data: { missing: ['hotels'] } });
    // Not before its time.
    expect(last(heard).data.afterMs).toBeGreaterThan(1_000);
  });

  /** Searches until an instance has been killed. @returns that search; nothing is missing before */
  async function searchUntilKilled(context: TestContext, role: string): Promise<readonly Heard[]> {
    const program = run(context, ...common(), '--kill', role);
    const page = await pageOf(program);
    for (let count = 1; count <= MANY; count++) {
      const heard = await search(page, count);
      if (/is gone \(SIGKILL\)|stopped responding/.test(program.said())) {
        expect(program.said()).toContain(`${role}: `);
        expect(await program.stop()).toBe(0);
        return heard;
      }
      expect(last(heard)).toMatchObject({ event: 'done', data: { missing: [] } });
    }
    throw new Error(`${MANY} searches, and none went to the instance that was to be killed`);
  }

  test('one of two instances of a service is killed in mid-search', async (context) => {
    const heard = await searchUntilKilled(context, 'deals');
    const missing = afterKill === 'another instance' ? [] : ['deals'];
    expect(servicesOf(heard)).toEqual(all.filter((service) => !missing.includes(service)));
    expect(last(heard)).toMatchObject({ event: 'done', data: { missing } });
  });

  test('one of two aggregators is killed in mid-search', async (context) => {
    const heard = await searchUntilKilled(context, 'aggregator');
    if (afterKill === 'another instance') {
      expect(servicesOf(heard)).toEqual(all);
      expect(last(heard)).toMatchObject({ event: 'done', data: { missing: [] } });
    } else {
      expect(servicesOf(heard)).toEqual([]);
      expect(last(heard)).toMatchObject({ event: 'failed', data: { code: 'timeout' } });
    }
  });
});

describe('a process for each role', () => {
  const row = TRANSPORTS.find(({ name }) => name === 'redis+streams')!;

  test('they find one another, and one killed with its process is replaced by another', async (context) => {
    await using server = await row.start!();
    const where = ['--url', row.url(server.url), '--topic', `travel-${randomUUID()}`];
    const slow = (service: string) => ['--slow', `${service}=20`];
    const doomed = run(context, ...where, '--role', 'cars', '--instances', '1', '--kill', 'cars', ...slow('cars'));
    const programs = [
      run(context, ...where, '--role', 'aggregator', '--instances', '1'),
      ...SERVICES.filter((service) => service !== 'cars').map((service) =>
        run(context, ...where, '--role', service, '--instances', '1', ...slow(service)),
      ),
    ];
    const web = run(context, ...where, '--role', 'web', '--instances', '1', '--deadline', '15000');
    await Promise.all([doomed, ...programs].map((program) => program.says(/^over /m)));
    const searching = search(await pageOf(web));
    // It was the only one of its role: the search is its own, and nobody else's until another comes.
    expect(await doomed.ended).toBeNull();
    const other = run(context, ...where, '--role', 'cars', '--instances', '1', ...slow('cars'));
    await other.says(/^over /m);
    const heard = await searching;
    expect(last(heard)).toMatchObject({ event: 'done', data: { missing: [] } });
    const [, instance] = /(cars-\w+)/.exec(other.said())!;
    expect(partsOf(heard)).toContainEqual({ service: 'cars', from: instance });
    // Before their server.
    await Promise.all([web, other, ...programs].map((program) => program.stop()));
  });
});
