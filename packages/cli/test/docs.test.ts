import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ConformanceReport } from '@polycast/conformance';
import { ERROR_CODES } from '@polycast/core';
import { startServiceBus } from '@polycast/local-services/service-bus';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { CommandModule } from '../src/command.ts';
import { EXIT } from '../src/index.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/README.md',
  'docs/adding-an-adapter.md',
  'packages/cli/README.md',
  ...guide(),
];

function guide(): readonly string[] {
  return readdirSync(join(root, 'docs/guide')).map((name) => `docs/guide/${name}`);
}

/** Code blocks of a page, by their language. */
function blocks(path: string, language: string): readonly string[] {
  return [...read(path).matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, found, code]) =>
    found === language ? [code!] : [],
  );
}

/** Runs a program as a user's own, against the built packages. */
async function run(code: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = mkdtempSync(join(root, 'node_modules/.docs-'));
  try {
    const file = join(folder, 'program.mjs');
    writeFileSync(file, code);
    const env = { ...process.env, POLYCAST_URL: '', ...more };
    return (await promisify(execFile)(process.execPath, [file], { cwd: root, env, timeout: 60_000 })).stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('programs', () => {
  const [first, second] = blocks('README.md', 'js') as [string, string];

  test("the README's first program prints what it says, in ten lines", async () => {
    expect(await run(first.replace('??', '||'))).toBe('order.moved { order: 7 }\n');
    expect(first.split('\n').filter(Boolean).length).toBeLessThanOrEqual(10);
  });

  test("the README's second program", async () => {
    expect(await run(second)).toBe('kitchen-1 { free: 3, for: { people: 2 } }\nunsupported\n');
  });

  test.each(['docs/guide/service-bus.md', 'packages/service-bus/README.md'])(
    'the first program of %s prints what the guide says',
    async (page) => {
      const service = await startServiceBus();
      try {
        // It listens until Ctrl-C.
        const once = 'const { log } = console; console.log = (...all) => { log(...all); process.exit(); };\n';
        const SERVICE_BUS_CONNECTION_STRING = service.connectionString;
        const printed = await run(once + blocks(page, 'ts')[0]!, { SERVICE_BUS_CONNECTION_STRING });
        expect(printed).toBe("order.placed { dish: 'soup' }\n");
      } finally {
        await service.stop();
      }
    },
  );

  test('the adapter in "Adding an adapter", as a package with its harness, conforms and leaves nothing untried', async () => {
    const folder = mkdtempSync(join(root, 'node_modules/.docs-'));
    try {
      const [adapter, harness] = blocks('docs/adding-an-adapter.md', 'js') as [string, string];
      const packed = join(folder, 'node_modules/@polycast/emitter');
      mkdirSync(packed, { recursive: true });
      const exports = { '.': './index.js', './conformance': './conformance.js' };
      writeFileSync(
        join(packed, 'package.json'),
        JSON.stringify({ name: '@polycast/emitter', type: 'module', exports }),
      );
      writeFileSync(join(packed, 'index.js'), adapter);
      writeFileSync(join(packed, 'conformance.js'), harness);
      writeFileSync(join(folder, 'package.json'), '{"private":true}');
      const args = [
        join(root, 'packages/cli/dist/bin.js'),
        ...'conform --url emitter: --local --json report.json'.split(' '),
      ];
      await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 90_000 });
      const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as ConformanceReport;
      expect(report.summary).toMatchObject({ failed: 0, notRun: 0 });
      expect(report.findings.filter(({ kind }) => kind === 'claims-too-much')).toEqual([]);
      expect(report.cases.find(({ id }) => id === 'lifecycle/residue')).toMatchObject({ status: 'passed' });
      const soak = promisify(execFile)(process.execPath, [args[0]!, ...'conform --url emitter: --soak'.split(' ')], {
        cwd: folder,
      });
      await expect(soak).rejects.toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining('`remote`') });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 100_000);
});

test("the guide's TypeScript has the right types", async () => {
  // Core has what the guide uses beside Polycast itself.
  const folder = mkdtempSync(join(root, 'packages/core/node_modules/.docs-'));
  try {
    const samples = guide().flatMap((page) => blocks(page, 'ts'));
    expect(samples.length).toBeGreaterThan(2);
    const files = samples.map((code, at) => {
      writeFileSync(join(folder, `sample-${at}.ts`), code);
      return `sample-${at}.ts`;
    });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    // A sample may end where the reader goes on.
    const compilerOptions = { noUnusedLocals: false };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), include: [], files, compilerOptions }),
    );
    const tsc = join(root, 'node_modules/.bin/tsc');
    const outcome = await promisify(execFile)(tsc, ['-p', folder]).catch((failed: { stdout: string }) => failed);
    expect(outcome.stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('command lines', () => {
  test.each(
    PAGES.flatMap((page) =>
      blocks(page, 'sh').flatMap((block) => block.split('\n').map((line) => [page, line] as const)),
    ),
  )('%s: %s', async (_page, line) => {
    const [program, ...args] = [...line.replace(/ +#.*/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
      ([, single, double, plain]) => single ?? double ?? plain!,
    );
    if (program === undefined || (program === 'npm' && args[0] === 'install')) return;
    if (program === 'npm') return expect(JSON.parse(read('package.json')).scripts).toHaveProperty(args[0]!);
    expect([program, args.shift()]).toEqual(['npx', 'polycast']);
    const name = args[0] === 'filter' ? args.splice(0, 2).join('-') : args.shift();
    const module = ((await import(`../src/commands/${name}.ts`)) as { default: CommandModule }).default;
    const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    module.declare(command);
    command.parse(args, { from: 'user' });
  });
});

test.each(PAGES)('%s links to what exists', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, link]) =>
    join(root, dirname(page), link!),
  );
  expect(links.filter((path) => !existsSync(path)).map((path) => relative(root, path))).toEqual([]);
});

test('the table of errors has every code, with the right word about retrying', () => {
  const rows = [...read('docs/guide/errors.md').matchAll(/^\| `([a-z-]+)` \| (yes|no) \|/gm)].map(([, code, retry]) => [
    code,
    retry,
  ]);
  expect(rows).toEqual(Object.entries(ERROR_CODES).map(([code, { retryable }]) => [code, retryable ? 'yes' : 'no']));
});

test('the table of exit codes is complete', () => {
  const codes = [...read('packages/cli/README.md').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(codes).toEqual(Object.values(EXIT));
});
