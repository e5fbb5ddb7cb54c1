import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findRedisServer, freePort, type RedisServer, redisForTests, startRedis } from '@polycast/local-services';
import { build } from 'esbuild';
import { afterEach, describe, expect, it, vi } from 'vitest';

const open: RedisServer[] = [];
const start = async (...options: Parameters<typeof startRedis>) => {
  const server = await startRedis(...options);
  open.push(server);
  return server;
};
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

/** One inline command, one raw reply; undefined when the connection fails. */
function ask(port: number, command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(`${command}\r\n`));
    socket.once('data', (reply) => {
      socket.destroy();
      resolve(reply.toString().trim());
    });
    socket.once('error', () => resolve(undefined));
  });
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('startRedis', () => {
  it('answers once started, and nothing is left once stopped', async () => {
    const server = await start();
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
    expect(await ask(server.port, 'PING')).toBe('+PONG');
    const folder = (await ask(server.port, 'CONFIG GET dir'))?.split('\r\n').at(-1) ?? '';
    expect(existsSync(folder)).toBe(true);
    await server.stop();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(folder)).toBe(false);
    expect(await ask(server.port, 'PING')).toBeUndefined();
  });

  it('listens on the loopback address alone, saves no snapshots and passes arguments on', async () => {
    const server = await start({ args: ['--maxmemory', '7mb'] });
    expect(await ask(server.port, 'CONFIG GET bind')).toContain('127.0.0.1');
    expect(await ask(server.port, 'CONFIG GET save')).toMatch(/save\r\n\$0$/);
    expect(await ask(server.port, 'CONFIG GET maxmemory')).toContain(String(7 * 1024 * 1024));
  });

  it('gives every server a port of its own', async () => {
    const servers = await Promise.all([start(), start(), start()]);
    expect(new Set(servers.map((server) => server.port)).size).toBe(3);
  });

  it.each([
    { persistent: true, kept: '$5\r\nvalue' },
    { persistent: false, kept: '$-1' },
  ])('keeps data over restart and kill only if persistent: $persistent', async ({ persistent, kept }) => {
    const server = await start({ persistent });
    const first = server.pid;
    expect(await ask(server.port, 'SET key value')).toBe('+OK');
    await server.restart();
    expect(server.pid).not.toBe(first);
    expect(await ask(server.port, 'GET key')).toBe(kept);
    expect(await ask(server.port, 'SET key value')).toBe('+OK');
    await server.kill();
    expect(await ask(server.port, 'PING')).toBeUndefined();
    await server.start();
    const { pid } = server;
    await server.start();
    expect(server.pid).toBe(pid);
    expect(await ask(server.port, 'GET key')).toBe(kept);
  });

  it('answers nothing while frozen, and all of it when thawed', async () => {
    const server = await start();
    await server.freeze();
    let answered = false;
    const reply = ask(server.port, 'PING').then((text) => {
      answered = true;
      return text;
    });
    // Another server's round trip bounds the wait without guessing at a duration.
    const other = await start();
    await ask(other.port, 'PING');
    expect(answered).toBe(false);
    await server.thaw();
    expect(await reply).toBe('+PONG');
  });

  it('cut ends every connection, subscribed or not, and new ones are welcome', async () => {
    const server = await start();
    const sockets = ['PING', 'SUBSCRIBE news'].map((command) => {
      const socket = connect({ host: '127.0.0.1', port: server.port }, () => socket.write(`${command}\r\n`));
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'data')));
    const ended = sockets.map((socket) => once(socket.resume(), 'close'));
    await server.cut();
    await Promise.all(ended);
    expect(await ask(server.port, 'PING')).toBe('+PONG');
    await server.kill();
    await expect(server.cut()).rejects.toThrow('does not answer');
  });

  it('stops and restarts a frozen server', async () => {
    const server = await start();
    await server.freeze();
    await server.restart();
    expect(await ask(server.port, 'PING')).toBe('+PONG');
    await server.freeze();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  it('says so when a chosen port is taken, and leaves no folder', async () => {
    const taken = createServer().listen(await freePort(), '127.0.0.1');
    await once(taken, 'listening');
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('polycast-redis-')).length;
    const { port } = taken.address() as { port: number };
    await expect(startRedis({ port })).rejects.toThrow(/did not start on port \d+.*Address already in use/s);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('polycast-redis-')).length).toBeLessThanOrEqual(
      before,
    );
    taken.close();
  });

  it('says what redis-server said of a bad argument', async () => {
    await expect(startRedis({ args: ['--no-such-option', '1'] })).rejects.toThrow(/no-such-option/);
  });

  it.each([
    { how: 'exits', ending: 'process.exit()' },
    { how: 'is killed', ending: "process.kill(process.pid, 'SIGKILL')" },
    { how: 'has nothing left to do', ending: '' },
  ])('ends when its parent $how', async ({ ending }) => {
    const program = await build({
      stdin: {
        contents: `import { startRedis } from './index.ts';
          const { pid } = await startRedis();
          process.stdout.write(String(pid), () => { ${ending} });`,
        resolveDir: fileURLToPath(new URL('../src', import.meta.url)),
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
    });
    const code = program.outputFiles[0]?.text ?? '';
    const parent = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    parent.stdout.on('data', (text) => {
      said += text;
    });
    await once(parent, 'close');
    const pid = Number(said);
    expect(pid).toBeGreaterThan(0);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
  });
});

describe('findRedisServer', () => {
  it('finds the program on PATH', async () => {
    expect(await findRedisServer()).toMatch(/redis-server$/);
  });

  it('says how to install it where it cannot do so itself', async () => {
    vi.stubEnv('PATH', '/nowhere');
    await expect(findRedisServer()).rejects.toThrow(/apt-get install redis-server.*POLYCAST_REDIS_URL/s);
  });
});

describe('redisForTests', () => {
  it('leaves a given server alone', async () => {
    const server = await start();
    vi.stubEnv('POLYCAST_REDIS_URL', server.url);
    const given = await redisForTests();
    expect(given.url).toBe(server.url);
    await given.stop();
    expect(await ask(server.port, 'PING')).toBe('+PONG');
  });

  it('starts one where none is given', async () => {
    vi.stubEnv('POLYCAST_REDIS_URL', '');
    const started = await redisForTests();
    expect(started.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
    await started.stop();
  });
});
