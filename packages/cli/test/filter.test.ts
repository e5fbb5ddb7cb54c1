import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { emptyFolder, polycast, start } from './cli.ts';

const EVENTS = [
  { specversion: '1.0', id: '1', source: '/till', type: 'order.moved', region: 'eu', priority: 7 },
  { specversion: '1.0', id: '2', source: '/till', type: 'order.made', region: 'us', priority: 3 },
  { specversion: '1.0', id: '3', source: '/till', type: 'stock.low', region: 'EU' },
  { specversion: '1.0', id: '4', source: '/till', type: 'stock.low', region: 'asia', priority: 9 },
];

function sample(text = EVENTS.map((event) => JSON.stringify(event)).join('\n')) {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'events.jsonl'), text);
  return cwd;
}

describe('explain', () => {
  test('says for each broker what it evaluates, what is left and why', async () => {
    const { exit, out } = await polycast(['filter', 'explain', "type = 'order.moved' AND subject LIKE 'table-%'"]);
    expect(exit).toBe(0);
    expect(out).toContain("user.cloudEvents_type = 'order.moved' AND user.cloudEvents_subject LIKE 'table-%'");
    expect(out).toContain('cloudEvents_type = "order.moved"');
    expect(out).toContain('{"operatorType":"StringIn","key":"type","values":["order.moved"]}');
    expect(out).toContain('name == `"order.moved"` && headers.subject != `null`');
    expect(out).toContain('Redis, channels and streams (redis-channel) nothing pushed down');
    expect(out).toMatch(
      /reason +subject LIKE 'table-%': Service Bus does not document whether LIKE is case-sensitive|reason +Service Bus does not/,
    );
    expect(out).toContain('in the subscriber process');
  });

  test('uses the types that are declared', async () => {
    const args = ['filter', 'explain', 'priority > 5', '--target', 'service-bus-sql'];
    expect((await polycast(args)).out).toContain('evaluates a part');
    const { out } = await polycast([...args, '--integer', 'priority']);
    expect(out).toContain('evaluates all of it');
    expect(out).toContain('user.cloudEvents_priority >= 6');
    const both = await polycast([...args, '--integer', 'priority', '--text', 'priority']);
    expect(both).toMatchObject({ exit: 2, out: '' });
  });

  test('says what a sample of events shows, and what that saves', async () => {
    const args = [
      'filter',
      'explain',
      "region = 'eu'",
      '--target',
      'event-grid',
      '--target',
      'ably',
      '--events',
      'events.jsonl',
    ];
    const options = { cwd: sample() };
    const { exit, out } = await polycast([...args, '--publishes', '1000000', '--subscribers', '10'], options);
    expect(exit).toBe(0);
    // Event Grid brings EU as well.
    expect(out).toContain('brings   50 % of the events; 25 % pass');
    expect(out).toContain('brings   25 % of the events; 25 % pass');
    expect(out).toMatch(/saves +[\d,]+ of [\d,]+ deliveries a month, \$[\d.,]+ of \$/);
    expect(out).toContain('the price model of ably does not count filters');
    expect(out).toContain('1,000,000 publishes per month of 400 bytes to 10 subscribers');
  });

  test('writes all of it as JSON', async () => {
    const options = { cwd: sample() };
    const args = ['filter', 'explain', "typ = 'x' OR region = 'eu'", '--events', 'events.jsonl', '--json', '-'];
    const { exit, out } = await polycast(args, options);
    expect(exit).toBe(0);
    const { filter, warnings, volume, targets } = JSON.parse(out);
    expect(filter).toBe("typ = 'x' OR region = 'eu'");
    expect(warnings).toEqual([
      'unknown attribute "typ"; did you mean "type"?',
      'no event of the sample has the attribute typ',
    ]);
    expect(volume).toMatchObject({ workload: 'Order tracking', subscribers: 20, payloadBytes: 400 });
    expect(targets.map(({ target }: { target: string }) => target)).toEqual([
      'service-bus-sql',
      'service-bus-correlation',
      'event-grid',
      'ably',
      'redis-channel',
      'signalr-group',
    ]);
    expect(targets[0]).toMatchObject({
      residual: 'TRUE',
      reasons: [],
      events: { count: 4, kept: 0, exact: 0 },
      savings: { service: 'service-bus', usd: { saved: expect.any(Number) } },
    });
  });

  test('a mistake is shown with its place', async () => {
    const { exit, err, out } = await polycast(['filter', 'explain', "type = = 'a'"]);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain("  type = = 'a'\n         ^\n");
    const coloured = await polycast(['filter', 'explain', "type = = 'a'"], { screen: true });
    expect(coloured.err).toContain('\u001b[31m         ^\u001b[39m');
  });

  test('an unknown target is refused with those there are', async () => {
    const { exit, err } = await polycast(['filter', 'explain', 'EXISTS a', '--target', 'service-bus']);
    expect(exit).toBe(2);
    expect(err).toContain('service-bus-sql');
  });
});

describe('eval', () => {
  const args = (filter: string, file = 'events.jsonl') => ['filter', 'eval', filter, '--event', file];

  test('the exit code says whether every event passes', async () => {
    const cwd = sample();
    expect((await polycast(args("source = '/till'"), { cwd })).exit).toBe(0);
    const { exit, out } = await polycast(args('priority > 5'), { cwd });
    expect(exit).toBe(1);
    expect(out).toContain('missingAttribute');
    expect(out).toContain('2 of 4 events pass');
  });

  test.each([
    ['an object', JSON.stringify(EVENTS[0], undefined, 2), 1],
    ['an array', JSON.stringify(EVENTS), 4],
    ['lines', `\n${EVENTS.map((event) => JSON.stringify(event)).join('\r\n\r\n')}\r\n`, 4],
    ['nothing', '', 0],
  ])('reads %s', async (_, text, count) => {
    const { exit, out } = await polycast([...args('EXISTS id'), '--json', '-'], { cwd: sample(text) });
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toHaveLength(count);
  });

  test('reads standard input, and writes values and errors as JSON', async () => {
    const running = start(['filter', 'eval', 'priority + 1', '--event', '-', '--json', '-']);
    running.type(`${JSON.stringify(EVENTS[0])}\n${JSON.stringify(EVENTS[2])}\n`);
    running.end();
    expect(await running.exit).toBe(1);
    expect(JSON.parse(running.out())).toMatchObject([
      { id: '1', type: 'order.moved', passes: false, value: 8 },
      { id: '3', passes: false, value: 0, error: { code: 'missingAttribute' } },
    ]);
  });

  test.each([
    ['a line that is not JSON', '{"id":1}\noops', 'line 2 of events.jsonl is not JSON'],
    ['what is not an event', '[1]', 'event 1 of events.jsonl is not an event'],
  ])('%s is bad usage', async (_, text, message) => {
    const { exit, err, out } = await polycast(args('EXISTS id'), { cwd: sample(text) });
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });

  test('a file that is not there, a filter that cannot be read', async () => {
    const cwd = sample();
    expect(await polycast(args('EXISTS id', 'none.json'), { cwd })).toMatchObject({ exit: 2, out: '' });
    expect(await polycast(args('EXISTS'), { cwd })).toMatchObject({ exit: 2, out: '' });
  });

  test('what strangers wrote cannot colour the screen', async () => {
    const { out } = await polycast(args('EXISTS id'), { cwd: sample(JSON.stringify({ id: '\u001b[31mred' })) });
    expect(out).not.toContain('\u001b');
  });
});

describe('filter targets', () => {
  const packages = fileURLToPath(new URL('../../', import.meta.url));
  const entries = readdirSync(packages)
    .map((name) => join(packages, name, 'src/filter-target.ts'))
    .filter((file) => existsSync(file));

  /** Packages that a file and the files it imports need when they run. */
  function needs(file: string, seen = new Set<string>()): ReadonlySet<string> {
    const found = new Set<string>();
    if (seen.has(file)) return found;
    seen.add(file);
    for (const [, , specifier = ''] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export) (?!type )([^;]*? from )?'([^']+)';/gms,
    )) {
      if (!specifier.startsWith('.')) found.add(specifier);
      else for (const each of needs(join(dirname(file), specifier), seen)) found.add(each);
    }
    return found;
  }

  test.each(entries.map((file) => [file.slice(packages.length), file]))('%s needs nothing but core', (_, file) => {
    expect(entries.length).toBeGreaterThanOrEqual(5);
    expect([...needs(file)]).toEqual(['@polycast/core/filter']);
  });
});
