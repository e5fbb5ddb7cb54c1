import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** Runs a program as a user's own, against the built packages that the package at `base` can import. */
async function run(code: string, more: Readonly<Record<string, string>> = {}, base = '.'): Promise<string> {
  const folder = mkdtempSync(join(root, base, 'node_modules/.docs-'));
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

  test.each([
    ['packages/core/README.md', '{ order: 1 } attempt 1\n', 'packages/cli'],
    ['packages/memory/README.md', 'order.moved { order: 17 }\n', 'packages/cli'],
    ['packages/local-services/README.md', 'disconnected\nreconnected\n', 'packages/cli'],
    ['packages/measure/README.md', /^Azure SignalR Service \S+ \S+ idle \S+$/m, 'packages/cli'],
    ['docs/guide/schemas.md', '1795233600000\n', 'packages/core'],
  ])('the first program of %s prints something and ends', async (page, printed, base) => {
    const code = blocks(page, 'ts')[0]!;
    // Node 20 has no `await using`, which TypeScript translates.
    const using = [...code.matchAll(/await using (\w+)/g)].reverse();
    const disposals = using.map(([, name]) => `await ${name}[Symbol.asyncDispose]();\n`);
    const out = await run(code.replaceAll('await using', 'const') + disposals.join(''), {}, base);
    if (typeof printed === 'string') expect(out).toBe(printed);
    else expect(out).toMatch(printed);
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

  test('the adapter in "Adding an adapter" is the one of the examples, part by part, and so is its harness', () => {
    const text = read('docs/adding-an-adapter.md');
    const chapter = (from: string, to: string) => text.slice(text.indexOf(from), text.indexOf(to));
    const codeOf = (page: string) => [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code).join('');
    const adapter = read('examples/adapter-with-a-wire/src/adapter.ts');
    expect(codeOf(chapter('## A whole adapter', '## Its harness'))).toBe(adapter);
    expect(codeOf(chapter('## Its harness', '### How long a run takes'))).toBe(
      read('examples/adapter-with-a-wire/src/conformance.ts'),
    );
    expect(adapter.trimEnd().split('\n').length).toBeLessThanOrEqual(250);
  });

  test('the adapter in "Adding an adapter", as a package with its harness, is found by its scheme and by the configuration file', async () => {
    const folder = mkdtempSync(join(root, 'node_modules/.docs-'));
    // pnpm says there where the packages of its workspace lie: as for a user, they are not found.
    const { NODE_PATH: _, ...env } = process.env;
    try {
      const packed = join(folder, 'node_modules/@polycast/line-log');
      cpSync(join(root, 'examples/adapter-with-a-wire/dist'), packed, { recursive: true });
      const exports = { '.': './index.js', './conformance': './conformance.js' };
      writeFileSync(
        join(packed, 'package.json'),
        JSON.stringify({ name: '@polycast/line-log', type: 'module', exports }),
      );
      writeFileSync(join(folder, 'package.json'), '{"private":true}');
      const args = [
        join(root, 'packages/cli/dist/bin.js'),
        ...'conform --url line-log: --local --only native --only lifecycle/residue --json report.json'.split(' '),
      ];
      await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 90_000, env });
      const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as ConformanceReport;
      expect(report.summary).toMatchObject({ failed: 0, notRun: 0 });
      expect(report.findings.filter(({ kind }) => kind === 'claims-too-much')).toEqual([]);
      expect(report.cases.find(({ id }) => id === 'lifecycle/residue')).toMatchObject({ status: 'passed' });

      // The same as a package of another name, which the configuration file names.
      const acme = join(folder, 'node_modules/@acme/line-log');
      cpSync(packed, acme, { recursive: true });
      rmSync(packed, { recursive: true });
      writeFileSync(
        join(acme, 'package.json'),
        JSON.stringify({
          name: '@acme/line-log',
          type: 'module',
          exports,
        }),
      );
      const config = { transports: { events: 'line-log:' }, adapters: { 'line-log': '@acme/line-log' } };
      writeFileSync(join(folder, 'polycast.config.json'), JSON.stringify(config));
      const again = [args[0]!, ...'conform --url line-log: --local --only addressing --json acme.json'.split(' ')];
      await promisify(execFile)(process.execPath, again, { cwd: folder, timeout: 90_000, env });
      const { summary } = JSON.parse(readFileSync(join(folder, 'acme.json'), 'utf8')) as ConformanceReport;
      expect(summary).toMatchObject({ failed: 0, notRun: 0 });
      expect(summary.passed).toBeGreaterThan(5);

      // One whose harness does not say how other processes reach the service.
      const bare = `import { harness as whole } from './whole.js';
        export const harness = async (options) => ({ ...(await whole(options)), remote: undefined });`;
      renameSync(join(acme, 'conformance.js'), join(acme, 'whole.js'));
      writeFileSync(join(acme, 'conformance.js'), bare);
      const soak = promisify(execFile)(
        process.execPath,
        [args[0]!, ...'conform --url line-log: --local --soak'.split(' ')],
        { cwd: folder, env },
      );
      await expect(soak).rejects.toMatchObject({ code: EXIT.usage, stderr: expect.stringContaining('`remote`') });

      // No broker listens where the configuration says: that is what it finds, with the adapter of that name.
      const doctor = await promisify(execFile)(process.execPath, [args[0]!, 'doctor'], {
        cwd: folder,
        timeout: 90_000,
        env,
      }).catch((failed: { stdout: string }) => failed);
      expect(doctor.stdout).toMatch(/@acme\/line-log/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 100_000);
});

const PACKAGES = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`);

test.each([...PACKAGES, 'docs/guide/schemas.md', 'docs/guide/tracing.md', 'docs/guide/service-bus.md'])(
  '%s says how to install every package that its programs import',
  (page) => {
    const imports = ['ts', 'js']
      .flatMap((language) => blocks(page, language))
      .flatMap((code) => [...code.matchAll(/^ *import .* from '((?:@[\w-]+\/)?[\w-]+)(?:\/[\w/-]+)?'/gm)]);
    const commands = [...read(page).matchAll(/npm install ([^`\n]+)/g)].flatMap(([, names]) => names!.split(' '));
    expect(imports.map(([, name]) => name!).filter((name) => !commands.includes(name))).toEqual([]);
  },
);

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

test.each(['memory', 'redis', 'service-bus'])('%s has the files that "Adding an adapter" names', (name) => {
  const rows = [...read('docs/adding-an-adapter.md').matchAll(/^\| `([\w./-]+)` \| (.*) \|$/gm)];
  expect(rows.length).toBeGreaterThan(10);
  // The table says which packages are without a file.
  const expected = rows.flatMap(([, file, holds]) =>
    new RegExp(`(Not in| of) ${name}\\b`).test(holds!) ? [] : [file!],
  );
  expect(expected.filter((file) => !existsSync(join(root, 'packages', name, file)))).toEqual([]);
});

test('decisions are numbered once, in the name of the file and in its title', () => {
  const files = readdirSync(join(root, 'docs/decisions'));
  const numbers = files.map((name) => Number(name.slice(0, 4)));
  expect(numbers).toEqual([...new Set(numbers)]);
  const titles = files.map((name) => Number(/^# (\d+)\. /.exec(read(`docs/decisions/${name}`))?.[1]));
  expect(titles).toEqual(numbers);
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
