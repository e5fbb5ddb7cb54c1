import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../process/child.ts';
import { freePort } from '../process/free-port.ts';
import type { BreakableService } from '../service.ts';
import { findRedisServer } from './find.ts';
import { answersPing, cutClients } from './ping.ts';

/** Maximum wait for a started server to answer, ms. */
export const START_TIMEOUT_MS = 15_000;
/** How many free ports are tried, should others take them between choosing and using. */
const PORT_TRIES = 5;

export interface RedisServerOptions {
  /** Further arguments of redis-server: `['--maxmemory', '10mb']`. Not `--loglevel` or `--logfile`: its log shows when it is ready. */
  readonly args?: readonly string[];
  /** @default a free one */
  readonly port?: number;
  /** Keep data across `restart` and `kill`, in an append-only file in the server's own folder. @default false */
  readonly persistent?: boolean;
}

/** A real `redis-server`. It keeps its data across `restart` and `kill` if it is `persistent`. */
export interface RedisServer extends BreakableService {
  /** Of the process that runs now; after `kill`, of the last one. */
  readonly pid: number;
}

/**
 * Starts a `redis-server` on 127.0.0.1, without a configuration file, and resolves when it answers.
 * It ends, and its folder goes, with `stop` or with this process, whichever comes first.
 * @throws Error if no redis-server can be found or it does not start, with what it printed
 */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const path = await findRedisServer();
  const folder = await mkdtemp(join(tmpdir(), 'polycast-redis-'));
  try {
    for (let attempt = 1; ; attempt++) {
      const port = options.port ?? (await freePort());
      const launch = () => launchOn(path, port, folder, options);
      const child = await launch();
      if (child.running) return new Server(port, folder, child, launch);
      const portTaken = child.output.includes('Address already in use');
      if (!portTaken || options.port !== undefined || attempt === PORT_TRIES) {
        throw new Error(`redis-server did not start on port ${port}: ${child.output.trim() || 'no output'}`);
      }
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Resolves to a child that answers, or to one that has ended. */
async function launchOn(path: string, port: number, folder: string, options: RedisServerOptions): Promise<Child> {
  const child = new Child(
    path,
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
      ...['--appendonly', options.persistent ? 'yes' : 'no', '--daemonize', 'no'],
      // While it waits for the disk Redis does not write, for up to two seconds, and answers all the same. We end processes, not machines.
      ...['--appendfsync', 'no'],
      ...(options.args ?? []),
    ],
    folder,
  );
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  for (let waitMs = 2; child.running; waitMs = Math.min(waitMs * 2, 50)) {
    // A server of somebody else may hold the port: then ours ends within milliseconds.
    await delay(waitMs);
    if (child.running && (await answersPing(port)) && child.output.includes('Ready to accept connections')) break;
    if (performance.now() > giveUpAt) await child.end('SIGKILL');
  }
  return child;
}

class Server implements RedisServer {
  readonly port: number;
  readonly url: string;
  readonly #folder: string;
  readonly #launch: () => Promise<Child>;
  #child: Child;

  constructor(port: number, folder: string, child: Child, launch: () => Promise<Child>) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#folder = folder;
    this.#child = child;
    this.#launch = launch;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async kill(): Promise<void> {
    await this.#child.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.thaw();
    await this.#child.end('SIGTERM');
    await this.start();
  }

  async start(): Promise<void> {
    if (this.#child.running) return;
    this.#child = await this.#launch();
    if (!this.#child.running) throw new Error(`redis-server did not restart: ${this.#child.output.trim()}`);
  }

  /** The process is stopped (SIGSTOP). */
  async freeze(): Promise<void> {
    this.#child.send('SIGSTOP');
  }

  async thaw(): Promise<void> {
    this.#child.send('SIGCONT');
  }

  async cut(): Promise<void> {
    await cutClients(this.port);
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
