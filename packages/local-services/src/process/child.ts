import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';

/** How much of what the program printed is kept for error messages, in characters. */
const OUTPUT_KEPT = 4_000;

const WATCH = 'cat >/dev/null; kill -9 "$1" 2>/dev/null; rm -rf "$2"';

/**
 * A server process that cannot outlive this one. An exit hook ends it; should this process be killed, the pipe to a
 * watcher closes and the watcher ends it. Both run in sessions of their own, so that Ctrl-C reaches them through us only.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #watcher: ChildProcess | undefined;
  readonly #exited: Promise<void>;
  #output = '';

  /** @param folder removed, too, if this process is killed */
  constructor(path: string, args: readonly string[], folder: string) {
    this.#process = spawn(path, args, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', () => resolve());
      this.#process.once('error', (error) => {
        this.#output += error.message;
        resolve();
      });
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_KEPT);
      });
      unref(stream);
    }
    this.#process.unref();
    if (this.#process.pid === undefined) return;

    this.#watcher = spawn('sh', ['-c', WATCH, 'sh', String(this.#process.pid), folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#watcher.on('error', () => {});
    this.#watcher.unref();
    unref(this.#watcher.stdin);
    const endIt = () => {
      this.#process.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    };
    atExit(endIt);
    this.#process.once('exit', () => {
      atExitNoMore(endIt);
      this.#watcher?.kill('SIGKILL');
    });
  }

  /** Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#process.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The last of what it printed. */
  get output(): string {
    return this.#output;
  }

  send(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Sends the signal and waits for the end; SIGKILL follows after `patienceMs`. */
  async end(signal: NodeJS.Signals, patienceMs = 5_000): Promise<void> {
    // The wait must hold the process: without it nothing else may keep the event loop turning.
    this.#process.ref();
    if (this.running) {
      this.#process.kill(signal);
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), patienceMs);
      await this.#exited;
      clearTimeout(timer);
    }
    const watcher = this.#watcher;
    if (watcher !== undefined && watcher.exitCode === null && watcher.signalCode === null) {
      watcher.ref();
      watcher.kill('SIGKILL');
      await once(watcher, 'exit');
    }
  }
}

/** One listener for all: Node warns of a leak where there are many. */
const exitActions = new Set<() => void>();
const onExit = () => {
  for (const action of exitActions) action();
};

function atExit(action: () => void): void {
  if (exitActions.size === 0) process.on('exit', onExit);
  exitActions.add(action);
}

function atExitNoMore(action: () => void): void {
  exitActions.delete(action);
  if (exitActions.size === 0) process.off('exit', onExit);
}

function unref(stream: unknown): void {
  (stream as { unref?: () => void } | null)?.unref?.();
}
