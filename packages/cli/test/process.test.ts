import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type RedisServer, startRedis } from '@polycast/local-services';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyFolder } from './cli.ts';

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url));

let server: RedisServer;
beforeAll(async () => {
  if (!existsSync(bin)) throw new Error('build first: node scripts/pnpm.mjs build');
  server = await startRedis();
});
afterAll(() => server.stop());

interface Started {
  readonly child: ChildProcess;
  readonly folder: string;
  out(): string;
  err(): string;
  /** Resolves once it has printed this. */
  says(text: string): Promise<void>;
  /** Its exit code, or the signal that ended it, when the last process that holds its stderr has ended. */
  readonly end: Promise<number | string>;
}

/** `polycast …` as a process of its own, whose temporary files are in a folder of its own. */
function start(args: string): Started {
  const folder = emptyFolder();
  const child = spawn(process.execPath, [bin, ...args.split(' ')], {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder, POLYCAST_URL: server.url },
    stdio: 'pipe',
  });
  const written = { out: '', err: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    written.out += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    written.err += text;
  });
  const has = (text: string) => written.out.includes(text) || written.err.includes(text);
  return {
    child,
    folder,
    out: () => written.out,
    err: () => written.err,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => has(text) && resolve();
        child.stdout!.on('data', look);
        child.stderr!.on('data', look);
        child.once('close', () => reject(new Error(`it ended before it said ${text}: ${written.out}${written.err}`)));
        look();
      }),
    end: once(child, 'close').then(([code, signal]) => signal ?? code),
  };
}

describe('Ctrl-C', () => {
  test.each([
    ['sub', 'listening', 0],
    ['sub --json -', 'listening', 0],
    ['bench --duration 60', 'latency', 130],
    ['bench --url redis+streams: --duration 60', 'latency', 130],
    ['compare --url memory: --no-conformance --duration 60', 'latency', 130],
    ['conform --url memory:', 'conformance memory', 130],
    ['conform --url redis: --local', 'conformance redis', 130],
    ['conform --url memory: --soak --faults 100000', 'soak memory', 130],
    ['conform --url redis: --local --soak --faults 100000', 'soak redis', 130],
    ['emulate service-bus --port 0', 'Endpoint=', 0],
    ['emulate service-bus --port 0 --tls --json -', 'connectionString', 0],
  ])(
    'ends %s, and nothing of it stays',
    async (args, sign, exit) => {
      const started = start(args);
      await started.says(sign);
      started.child.kill('SIGINT');
      await expectEnd(started, exit);
    },
    60_000,
  );

  test('ends pub between two events', async () => {
    const reader = start('sub --count 1');
    await reader.says('listening');
    const writer = start('pub --rate 5 --count 1000 hello');
    await reader.end;
    writer.child.kill('SIGINT');
    await expectEnd(writer, 130);
  }, 60_000);

  async function expectEnd(started: Started, exit: number): Promise<void> {
    expect(await started.end, started.err()).toBe(exit);
    expect(started.err()).not.toMatch(/^\s+at /m);
    expect(readdirSync(started.folder)).toEqual([]);
  }
});

describe('a reader that closes the pipe', () => {
  test.each([
    ['conform --list', 1],
    ['cost --json -', 1],
    ['help', 1],
    ['emulate service-bus --port 0 --json -', 1],
    ['sub --json -', 2],
  ])(
    'ends %s without an error',
    async (args, lines) => {
      const started = start(args);
      if (args.startsWith('sub')) {
        await started.says('listening');
        const writer = start('pub --rate 50 --count 500 hello');
        started.child.once('close', () => writer.child.kill('SIGTERM'));
      }
      await new Promise<void>((resolve) => {
        const look = () => started.out().split('\n').length > lines && resolve();
        started.child.stdout!.on('data', look);
        started.child.once('close', resolve as () => void);
        look();
      });
      started.child.stdout!.destroy();
      if (args.startsWith('emulate')) started.child.kill('SIGTERM');
      expect(await started.end).toBe(0);
      expect(started.err()).not.toMatch(/EPIPE|^\s+at /m);
    },
    60_000,
  );
});
