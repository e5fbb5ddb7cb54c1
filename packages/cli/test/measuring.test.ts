import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyFolder, polycast } from './cli.ts';

describe('cost', () => {
  test('writes a row a service', async () => {
    const { exit, out } = await polycast(['cost', '--json', '-']);
    expect(exit).toBe(0);
    const rows = JSON.parse(out) as Record<string, unknown>[];
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(
        expect.arrayContaining([
          'service',
          'tier',
          'billedUnits',
          'monthlyUsd',
          'idleMonthlyUsd',
          'priceDate',
          'confidence',
        ]),
      );
    }
  });

  test("the architecture center's 192.08 USD", async () => {
    const { out } = await polycast(['cost', '--workload', 'architecture-center']);
    expect(out).toMatch(/total.*\$192\.08/);
  });

  test('a workload file with a mistake is told where', async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, 'mine.yaml'), 'name: mine\npayloadBytes: 100\nsubscibers: 3\n');
    const { exit, err } = await polycast(['cost', '--workload', 'mine.yaml'], { cwd });
    expect(exit).toBe(2);
    expect(err).toContain('mine.yaml');
    expect(err).toContain('subscribers');
  });

  test('a workload that is neither a file nor a packaged one: the packaged ones are named', async () => {
    const { exit, err } = await polycast(['cost', '--workload', 'order-tracing']);
    expect(exit).toBe(2);
    expect(err).toContain('no such file');
    expect(err).toContain('order-tracking');
  });
});

describe('conform', () => {
  test('writes the report and ends with 0 when no MUST fails', async () => {
    const cwd = emptyFolder();
    const { exit, out } = await polycast(
      ['conform', '--url', 'memory:', '--only', 'addressing', '--json', 'report.json'],
      { cwd },
    );
    const report = JSON.parse(readFileSync(join(cwd, 'report.json'), 'utf8'));
    expect(report).toMatchObject({ transport: 'memory', url: 'memory:', summary: { failed: 0 } });
    expect(report.cases.length).toBeGreaterThan(5);
    expect(out).toContain('addressing');
    expect(out, 'what was not chosen is no finding').not.toContain('unconfirmed');
    expect(exit).toBe(0);
  });

  test('a part that names nothing is a mistake, no success', async () => {
    const { exit, err } = await polycast(['conform', '--url', 'memory:', '--only', 'adressing']);
    expect(exit).toBe(2);
    expect(err).toContain('--list');
  });

  test('lists the clauses', async () => {
    expect((await polycast(['conform', '--list'])).out).toMatch(/addressing\.1\s+MUST/);
  });
});

describe('bench', () => {
  test('writes the figures that scripts rely on', async () => {
    const { exit, out } = await polycast(
      'bench --url memory: --rate 200 --duration 0.5 --payload 200 --subscribers 2 --throughput 0.2 --json -'.split(
        ' ',
      ),
    );
    expect(exit).toBe(0);
    const result = JSON.parse(out);
    const quantiles = {
      p50: expect.any(Number),
      p90: expect.any(Number),
      p99: expect.any(Number),
      p999: expect.any(Number),
      max: expect.any(Number),
    };
    expect(result).toMatchObject({
      publishMs: quantiles,
      publishDelayMs: quantiles,
      endToEndMs: quantiles,
      lastOfNMs: quantiles,
      sent: 100,
      received: 200,
      lost: 0,
      duplicated: 0,
      reordered: 0,
    });
    expect(result.throughputPerSecond).toBeGreaterThan(0);
  });

  test('without a transport it asks for one', async () => {
    const { exit, err } = await polycast(['bench']);
    expect(exit).toBe(2);
    expect(err).toContain('--url');
  });
});

describe('compare', () => {
  test('writes a page without scripts or outside references, and the same as data', async () => {
    const cwd = emptyFolder();
    const args = 'compare --url memory: --rate 200 --duration 0.5 --no-conformance'.split(' ');
    const { exit, out } = await polycast(args, { cwd });
    expect(exit).toBe(0);
    for (const title of ['Latency', 'Cost', 'Report']) expect(out).toContain(title);
    const page = readFileSync(join(cwd, 'report/index.html'), 'utf8');
    expect(page).not.toMatch(/<script|<link|<img|src=|url\(|@import/i);
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
    expect(page.match(/<svg/g)).toHaveLength(2);
    const data = JSON.parse(readFileSync(join(cwd, 'report/compare.json'), 'utf8'));
    expect(data.transports[0]).toMatchObject({ name: 'memory', latency: { lost: 0 } });
    expect(data.cost.rows.length).toBeGreaterThan(10);
  });

  test('a transport that cannot be reached is told beside the others', async () => {
    const cwd = emptyFolder();
    const args =
      'compare --url memory: --url redis://a:hunter2@127.0.0.1:1 --rate 200 --duration 0.3 --no-conformance'.split(' ');
    const { exit, out } = await polycast(args, { cwd });
    expect(exit).toBe(1);
    expect(out).toContain('redis: unreachable');
    expect(out).toMatch(/memory +end to end/);
    expect(
      out +
        readFileSync(join(cwd, 'report/compare.json'), 'utf8') +
        readFileSync(join(cwd, 'report/index.html'), 'utf8'),
    ).not.toContain('hunter2');
  });
});
