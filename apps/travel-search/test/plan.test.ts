import { expect, test } from 'vitest';
import { DEFAULT_DEADLINE_MS, readPlan, UsageError } from '../src/plan.ts';
import { run } from './program.ts';

test('without arguments everything runs in memory', () => {
  expect(readPlan([], {})).toEqual({
    url: 'memory:',
    topic: 'travel',
    role: undefined,
    instances: 2,
    port: 0,
    deadlineMs: DEFAULT_DEADLINE_MS,
    slowMs: {},
    kill: undefined,
  });
  expect(readPlan([], { POLYCAST_URL: 'redis:' })).toMatchObject({ url: 'redis:' });
  expect(readPlan(['--url', 'memory:a'], { POLYCAST_URL: 'redis:' })).toMatchObject({ url: 'memory:a' });
});

test('options are read', () => {
  const args = ['--role', 'hotels', '--instances', '3', '--slow', 'hotels=3000', '--kill', 'hotels', '--topic', 't'];
  expect(readPlan(args, {})).toMatchObject({
    role: 'hotels',
    instances: 3,
    slowMs: { hotels: 3000 },
    kill: 'hotels',
    topic: 't',
  });
  expect(readPlan(['--port', '8080', '--deadline', '500', '--role', 'web'], {})).toMatchObject({
    port: 8080,
    deadlineMs: 500,
  });
  expect(readPlan(['-h'], {})).toBe('help');
});

test.each([
  ['--role', 'boats'],
  ['--kill', 'web'],
  ['--kill', 'boats'],
  ['--kill', 'cars', '--role', 'hotels'],
  ['--slow', 'hotels'],
  ['--slow', 'boats=1'],
  ['--slow', 'hotels=soon'],
  ['--slow', 'hotels=1', '--role', 'cars'],
  ['--port', '70000'],
  ['--port', '80', '--role', 'cars'],
  ['--deadline', '10'],
  ['--deadline', '1000', '--role', 'cars'],
  ['--instances', '0'],
  ['--instances', '1e1'],
  ['--what'],
  ['word'],
])('refused: %s %s %s %s', (...args) => {
  expect(() =>
    readPlan(
      args.filter((arg) => arg !== undefined),
      {},
    ),
  ).toThrow(UsageError);
});

test.concurrent.for([
  ['help', ['--help'], 0, /--kill ROLE/],
  ['no such option', ['--nope'], 2, /error: .*--nope/],
  ['a role that memory cannot reach', ['--role', 'flights'], 2, /connects no other process/],
  ['an unknown transport', ['--url', 'nope://host'], 2, /unknown-transport/],
  ['no URL', ['--url', 'redis//host'], 2, /invalid-configuration/],
  ['a bad topic', ['--topic', 'a b'], 2, /invalid-topic/],
  ['nobody there', ['--url', 'redis://me:hunter2@127.0.0.1:1'], 3, /unreachable/],
] as const)('the program ends and says why: %s', async ([_, args, code, pattern], context) => {
  const program = run(context, ...args);
  expect(await program.ended).toBe(code);
  expect(program.said()).toMatch(pattern);
  expect(program.said()).not.toContain('hunter2');
});
