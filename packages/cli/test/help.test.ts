import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { CommandModule } from '../src/command.ts';
import { polycast } from './cli.ts';

const NAMES = [
  'compare',
  'conform',
  'bench',
  'cost',
  'filter explain',
  'filter eval',
  'emulate',
  'pub',
  'sub',
  'doctor',
  'init',
];

test('--help lists every command, the exit codes and examples', async () => {
  const { exit, out } = await polycast(['--help']);
  expect(exit).toBe(0);
  for (const name of NAMES) expect(out).toMatch(new RegExp(`^  ${name.split(' ')[0]}\\b`, 'm'));
  expect(out).toContain('Exit codes:');
  expect(out).toContain('Examples:');
});

test('help reaches the commands of a group', async () => {
  const { exit, out } = await polycast(['help', 'filter', 'explain']);
  expect(exit).toBe(0);
  expect(out).toContain('Usage: polycast filter explain [options] <expression>');
  expect(out).toContain('--target');
});

test('a group lists its commands', async () => {
  const { exit, out } = await polycast(['filter', '--help']);
  expect(exit).toBe(0);
  for (const name of ['explain', 'eval']) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
});

test.each([
  [['pubb']],
  [['filter', 'evaluate', 'x']],
  [['pub', '--nonsense']],
  [['bench', '--rate', 'fast']],
  [['pub', '--ttl', '10']],
  [['cost', '--tiers', 'most']],
  [['emulate', 'service-bus', '--tier', 'gold']],
  [['emulate', 'service-bus', '--port', '65536']],
  [['emulate', 'service-bus', '--key', 'nothing']],
  [['emulate', 'service-bus', '--key', 'a:fly=x']],
  [['emulate', 'service-bus', '--key', 'a=x', '--key', 'a=y']],
])('%j is bad usage', async (args) => {
  const { exit, err, out } = await polycast(args);
  expect(exit).toBe(2);
  expect(out).toBe('');
  expect(err).toContain('error:');
  expect(err).toMatch(/^run `polycast( \w+)* --help` for usage$/m);
});

test('a mistyped command is told the nearest one', async () => {
  expect((await polycast(['confrom'])).err).toContain('Did you mean conform?');
});

test.each([
  [['help', 'foo'], "error: unknown command 'foo'\n", 'polycast --help'],
  [['help', 'pubb'], "error: unknown command 'pubb'\n(Did you mean pub?)\n", 'polycast --help'],
  [['help', 'filter', 'evl'], "error: unknown command 'evl'\n(Did you mean eval?)\n", 'polycast filter --help'],
])('%j is an unknown command', async (args, message, usage) => {
  const { exit, err, out } = await polycast(args);
  expect({ exit, out }).toEqual({ exit: 2, out: '' });
  expect(err).toBe(`${message}run \`${usage}\` for usage\n`);
});

test.each([[['help']], [['help', 'help']], [['help', '--help']], [['help', 'filter']], [['help', 'pub', 'more']]])(
  '%j prints help',
  async (args) => {
    const { exit, err, out } = await polycast(args);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toContain('Usage: polycast');
  },
);

describe.each(NAMES)('%s', (name) => {
  test('says what it does, with examples', async () => {
    const { exit, out } = await polycast([...name.split(' '), '--help']);
    expect(exit).toBe(0);
    expect(out).toContain(`Usage: polycast ${name}`);
    expect(out).toContain('Examples:');
    expect(out).toContain('--json');
  });

  test('its examples are valid command lines', async () => {
    const module = ((await import(`../src/commands/${name.replace(' ', '-')}.ts`)) as { default: CommandModule })
      .default;
    for (const [line] of module.examples) {
      const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
      module.declare(command);
      const said = ['polycast', ...name.split(' ')];
      const all = words(line);
      expect(all.slice(0, said.length)).toEqual(said);
      const args = all.slice(said.length);
      expect(() => command.parse(args, { from: 'user' }), line).not.toThrow();
    }
  });
});

/** The words of the `polycast` part of a shell line. */
function words(line: string): string[] {
  const own = line.split(' | ').find((part) => part.startsWith('polycast'))!;
  return [...own.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain!);
}
