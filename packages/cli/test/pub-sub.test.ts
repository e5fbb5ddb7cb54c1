import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, polycast, start } from './cli.ts';

const at = () => ['--url', `memory:${randomUUID()}`];

test('sub prints what pub publishes, one CloudEvent a line', async () => {
  const url = at();
  const sub = start(['sub', ...url, '--count', '2']);
  await sub.says('listening on default');
  expect((await polycast(['pub', ...url, '{"order":1}', '--type', 'order.moved'])).exit).toBe(0);
  expect((await polycast(['pub', ...url, 'hello'])).exit).toBe(0);
  expect(await sub.exit).toBe(0);
  const events = sub
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events).toMatchObject([
    { specversion: '1.0', type: 'order.moved', data: { order: 1 } },
    { specversion: '1.0', type: 'polycast-cli.message', data: 'hello' },
  ]);
});

test('addresses, filter and attributes are used', async () => {
  const url = at();
  const kitchen = start(['sub', ...url, '--role', 'kitchen', '--count', '1', '--where', 'urgency=high']);
  const hall = start(['sub', ...url, '--role', 'hall', '--count', '1']);
  await kitchen.says('listening');
  await hall.says('listening');
  await polycast(['pub', ...url, '--to', 'role:kitchen', 'calm']);
  await polycast(['pub', ...url, '--to', 'role:kitchen', '--attribute', 'urgency=high', 'fire']);
  await polycast(['pub', ...url, 'everyone']);
  expect([await kitchen.exit, await hall.exit]).toEqual([0, 0]);
  expect(JSON.parse(kitchen.out())).toMatchObject({ data: 'fire', urgency: 'high' });
  expect(JSON.parse(hall.out())).toMatchObject({ data: 'everyone' });
});

test('sub --filter takes CESQL, beside --where', async () => {
  const url = at();
  const args = [
    'sub',
    ...url,
    '--count',
    '1',
    '--where',
    'region=eu',
    '--filter',
    "type LIKE 'order.%' AND priority > 5",
  ];
  const sub = start(args);
  await sub.says('listening');
  for (const [region, priority] of [
    ['us', '9'],
    ['eu', '3'],
    ['eu', '7'],
  ] as const) {
    const attributes = ['--attribute', `region=${region}`, '--attribute', `priority=${priority}`];
    await polycast(['pub', ...url, priority, '--type', 'order.moved', ...attributes]);
  }
  expect(await sub.exit).toBe(0);
  expect(JSON.parse(sub.out())).toMatchObject({ data: 7, region: 'eu', priority: '7' });
  const wrong = await polycast(['sub', '--url', 'redis://localhost:1', '--filter', 'priority >']);
  expect([wrong.exit, wrong.err]).toEqual([2, expect.stringContaining('invalid-filter')]);
});

test('every line of standard input is an event, and --count repeats it', async () => {
  const url = at();
  const sub = start(['sub', ...url, '--count', '4']);
  await sub.says('listening');
  const pub = start(['pub', ...url, '--count', '2', '--json', '-']);
  pub.type('1\n\n{"two":2}\n');
  pub.end();
  expect(await pub.exit).toBe(0);
  expect(JSON.parse(pub.out())).toMatchObject({ topic: 'default', published: 4 });
  await sub.exit;
  expect(
    sub
      .out()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).data),
  ).toEqual([1, 1, { two: 2 }, { two: 2 }]);
});

test('Ctrl-C ends sub with 0, and what came is in the file', async () => {
  const url = at();
  const cwd = emptyFolder();
  const sub = start(['sub', ...url, '--json', 'seen.jsonl'], { cwd });
  await sub.says('listening');
  await polycast(['pub', ...url, '"kept"']);
  await sub.says('kept');
  sub.ctrlC();
  expect(await sub.exit).toBe(0);
  expect(readFileSync(join(cwd, 'seen.jsonl'), 'utf8')).toBe(sub.out());
});

test('what sub receives is in the file at once, whatever becomes of sub', async () => {
  const url = at();
  const cwd = emptyFolder();
  const sub = start(['sub', ...url, '--json', 'out/seen.jsonl'], { cwd });
  await sub.says('listening');
  await polycast(['pub', ...url, '"kept"']);
  await sub.says('kept');
  expect(readFileSync(join(cwd, 'out/seen.jsonl'), 'utf8')).toBe(sub.out());
  sub.ctrlC();
  expect(await sub.exit).toBe(0);
});

test('sub says at once that its file cannot be written', async () => {
  const { exit, err } = await polycast(['sub', ...at(), '--json', '/dev/null/seen.jsonl']);
  expect(err).toContain('cannot be written');
  expect(exit).toBe(2);
});

test('Ctrl-C ends pub with 130', async () => {
  const pub = start(['pub', ...at(), '--count', '1000000', '--rate', '10', 'x']);
  const sub = pub;
  sub.ctrlC();
  expect(await pub.exit).toBe(130);
});

test('Ctrl-C ends pub although the transport answers at once', async () => {
  const pub = start(['pub', ...at(), '--count', '1000000000', 'x']);
  setTimeout(() => pub.ctrlC(), 300);
  expect(await pub.exit).toBe(130);
});

test('a screen shows people when, what, from whom, and no control characters of strangers', async () => {
  const url = at();
  const sub = start(['sub', ...url, '--count', '1'], { screen: true });
  await sub.says('listening');
  await polycast(['pub', ...url, '--type', 'order.moved', '\u001b[2Jgone']);
  await sub.exit;
  expect(sub.out()).toContain('order.moved');
  expect(sub.out()).not.toContain('\u001b[2J');
});

test.each([
  [['pub', '--url', 'memory:', '--to', 'kitchen', 'x'], 2, 'invalid-address'],
  [['pub', '--url', 'memory:', '--topic', 'no topic', 'x'], 2, 'invalid-topic'],
  [['pub', '--url', 'nonsense:', 'x'], 2, 'unknown-transport'],
  [['pub', '--url', 'redis://u:hunter2@127.0.0.1:1', 'x'], 3, 'unreachable'],
  [['sub', '--url', 'memory:', '--name', 'both'], 2, 'error: give either --url or --name, not both'],
  [['sub', '--url', 'memory:', '--durable'], 2, '--instance or --group'],
  [['sub', '--url', 'memory:', '--from', 'earliest'], 1, 'unsupported'],
])('%j ends with %i and says %s', async (args, code, message) => {
  const { exit, out, err } = await polycast(args);
  expect(err).toContain(message);
  expect(err).not.toContain('hunter2');
  expect(err).not.toMatch(/^\s+at /m);
  expect(out).toBe('');
  expect(exit).toBe(code);
});

test('--verbose shows where an error comes from', async () => {
  expect((await polycast(['pub', '--url', 'nonsense:', '--verbose', 'x'])).err).toMatch(/^\s+at /m);
});
