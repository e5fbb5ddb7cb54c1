import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { accessRule } from '../src/emulate/options.ts';
import { runEmulation } from '../src/emulate/run.ts';
import type { Emulation } from '../src/emulate/service.ts';
import { startLiveLine } from '../src/output/live-line.ts';
import type { Terminal } from '../src/output/terminal.ts';
import { emptyFolder, polycast } from './cli.ts';

test.each([
  [
    ['emulate', 'service-buss'],
    'invalid-configuration: unknown local service "service-buss" (did you mean "service-bus"?); available: service-bus',
  ],
  [['emulate', 'constructor'], 'invalid-configuration: unknown local service "constructor"; available: service-bus'],
  [['emulate'], 'error: no service selected; available: service-bus'],
  [['emulate', 'service-bus', 'redis'], 'error: too many arguments'],
  [['emulate', 'service-bus', '--key', 'web:send'], 'NAME=KEY'],
])('%j is bad usage: %s', async (args, message) => {
  const { exit, out, err } = await polycast(args);
  expect(err).toContain(message);
  expect([exit, out]).toEqual([2, '']);
});

test('a policy is a name, its rights and a key that may hold anything', () => {
  const all = ['manage', 'send', 'listen'];
  expect(accessRule('Root=a=b:c==')).toEqual([{ name: 'Root', key: 'a=b:c==', rights: all }]);
  expect(accessRule('web:send,listen=x', accessRule('a=b'))).toEqual([
    { name: 'a', key: 'b', rights: all },
    { name: 'web', key: 'x', rights: ['send', 'listen'] },
  ]);
});

describe('a service that runs', () => {
  test('says what clients need and how its counts change, until Ctrl-C, and is stopped', async () => {
    const { emulation, terminal, interrupt, written, state } = tryout();
    const running = runEmulation(emulation, 'try', undefined, terminal);
    await written.says('active 1 · dead lettered 0');
    expect(written.out).toBe('connection string  Endpoint=sb://x;SharedAccessKey=y\nsmall              s\n');
    expect(written.err).toContain('Try listens on port 1');
    state.active = 1_500;
    interrupt.abort();
    expect(await running).toBe(0);
    expect(state.stops).toBe(1);
  });

  test.each(['-', 'lines.jsonl'])('writes JSON lines to %s', async (json) => {
    const { emulation, terminal, interrupt, written, state } = tryout();
    const running = runEmulation(emulation, 'try', json, terminal);
    await written.says('active 1');
    state.active = 2;
    const text = () => (json === '-' ? written.out : readFileSync(join(terminal.cwd, json), 'utf8'));
    while (!text().includes('"active":2')) await new Promise((resolve) => setTimeout(resolve, 5));
    interrupt.abort();
    expect(await running).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    const lines = text().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { event: 'started', service: 'try', port: 1 },
      { event: 'counts', active: 1, deadLettered: 0 },
      { event: 'counts', active: 2, deadLettered: 0 },
      { event: 'stopped', active: 2, deadLettered: 0 },
    ]);
  });

  test('is stopped when its counts fail or a file cannot be written', async () => {
    const failing = tryout();
    failing.state.fails = true;
    await expect(runEmulation(failing.emulation, 'try', undefined, failing.terminal)).rejects.toThrow('no counts');
    expect(failing.state.stops).toBe(1);
    const { emulation, terminal, state } = tryout();
    await expect(runEmulation(emulation, 'try', '/dev/null/x', terminal)).rejects.toThrow('cannot be written');
    expect(state.stops).toBe(1);
  });

  test('leaves out what is 0 where the line would be too long', async () => {
    const { emulation, terminal, interrupt, written } = tryout();
    const running = runEmulation(emulation, 'try', undefined, { ...terminal, columns: 20 });
    await written.says('active 1\n');
    interrupt.abort();
    await running;
    expect(written.err).not.toContain('dead lettered');
  });

  test('on a screen the counts are drawn over, and never wider than it', () => {
    const { terminal, written } = tryout();
    const line = startLiveLine({ ...terminal, progressScreen: true, columns: 10 });
    for (const text of ['one', 'one', 'a line that is too long']) line.show(text);
    line.stop();
    expect(written.raw()).toBe('\r\u001b[2Kone\r\u001b[2Ka line th\n');
  });

  test('elsewhere there are not too many lines, and the last one counts', () => {
    const { terminal, written } = tryout();
    const line = startLiveLine(terminal);
    for (const text of ['one', 'two', 'three']) line.show(text);
    line.stop();
    expect(written.raw()).toBe('one\nthree\n');
  });
});

/** A service of which only the counts are real, and a terminal made of streams. */
function tryout() {
  const state = { active: 1, stops: 0, fails: false };
  const emulation: Emulation = {
    title: 'Try listens on port 1',
    facts: [
      ['connection string', 'Endpoint=sb://x;SharedAccessKey=y'],
      ['small', 's'],
    ],
    details: { port: 1 },
    counts() {
      if (state.fails) throw new Error('no counts');
      return { active: state.active, deadLettered: 0 };
    },
    async stop() {
      state.stops++;
    },
  };
  const sinks = { out: new PassThrough({ encoding: 'utf8' }), err: new PassThrough({ encoding: 'utf8' }) };
  const written = {
    out: '',
    err: '',
    raw: () => String(sinks.err.read() ?? ''),
    async says(text: string) {
      for (const name of ['out', 'err'] as const) {
        sinks[name].on('data', (chunk: string) => {
          written[name] += chunk;
        });
      }
      while (!written.err.includes(text)) await new Promise((resolve) => setTimeout(resolve, 2));
    },
  };
  const interrupt = new AbortController();
  const terminal: Terminal = {
    stdin: new PassThrough(),
    stdout: sinks.out,
    stderr: sinks.err,
    env: {},
    cwd: emptyFolder(),
    screen: false,
    progressScreen: false,
    columns: 100,
    colors: pc.createColors(false),
    interrupted: interrupt.signal,
  };
  return { emulation, terminal, interrupt, written, state };
}
