import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Entry } from '../history/record.ts';
import { builtFile } from './built-file.ts';
import { type Answer, CLOCK_VARIABLE, type Order } from './order.ts';

/** How much of what a process printed is kept, in characters. */
const OUTPUT_KEPT = 2_000;

/** A process that answers nothing for so long, and computes all the while, is frozen; a busy machine only makes it slow. */
const SILENT_MS = 5_000;
const COMPUTED_MS = 3_000;
/** Maximum time without an answer, ms. */
const DEAF_MS = 60_000;

let made = 0;

/** A process that takes part in histories, one after the other. */
export class ParticipantProcess {
  readonly name = `process ${++made}`;
  onEntry: (entry: Entry) => void = () => {};
  /** It ended, and we had no part in it. */
  onDied: (how: string) => void = () => {};
  /** Seeds of the histories it has taken part in. */
  readonly seeds: number[] = [];
  /** When it answered last, ms of the shared clock. */
  answeredAtMs = 0;
  readonly exited: Promise<void>;
  readonly clockMs: number;
  readonly #child: ChildProcess;
  readonly #usage = new Map<number, (cpuMs: number) => void>();
  #onKept: (by: readonly string[]) => void = () => {};
  #output = '';
  #rest = '';
  #isFrozen = false;
  /** Its clock was set while it ran. */
  isShifted = false;
  /** Its end is our doing, or what it was told. */
  #isExpected = false;
  #isOver = false;
  #asked = 0;
  #hasAnswered = false;
  #lastAnswerMs = 0;
  /** What it had computed when it had answered last, ms. */
  #computedMs = 0;

  /** @param clockMs how much its wall clock differs */
  constructor(clockMs = 0) {
    this.clockMs = clockMs;
    // The record has a pipe of its own: unlike messages, what was written to it before a kill arrives.
    this.#child = fork(builtFile('participant'), [], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'pipe'],
      env: { ...process.env, [CLOCK_VARIABLE]: String(clockMs) },
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(0, OUTPUT_KEPT);
    });
    this.#child.on('error', () => {});
    const record = this.#child.stdio[4] as Readable;
    record.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    const kill = () => this.#child.kill('SIGKILL');
    process.once('exit', kill);
    this.exited = new Promise((resolve) => {
      // Not `exit`: what it wrote may still be on the way then.
      this.#child.once('close', (code, signal) => {
        process.off('exit', kill);
        this.#isOver = true;
        if (!this.#isExpected)
          this.onDied(`${signal ?? `exit code ${code}`}${this.#output === '' ? '' : `: ${firstLines(this.#output)}`}`);
        resolve();
      });
    });
  }

  get isOver(): boolean {
    return this.#isOver || this.#isExpected;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  order(order: Order): void {
    if (order.do === 'clock') this.isShifted = true;
    if (!this.isOver) this.#child.send(order, () => {});
  }

  /** SIGKILL. Resolves when all it had written is read. */
  async kill(): Promise<void> {
    this.#isExpected = true;
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  freeze(): void {
    this.#isFrozen = true;
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.answeredAtMs = nowMs();
    this.#child.kill('SIGCONT');
  }

  /**
   * For how long it has answered nothing although it computed all the while, ms; 0 if it is only slow. Where the system does not
   * say how long a process computed, a minute of silence stands in.
   */
  get silentForMs(): number {
    const forMs = nowMs() - this.answeredAtMs;
    if (!this.#hasAnswered || forMs < SILENT_MS) return 0;
    const computedMs = computedBy(this.#child.pid) - this.#computedMs;
    return computedMs > COMPUTED_MS || forMs > DEAF_MS ? forMs : 0;
  }

  ping(): void {
    if (this.answeredAtMs !== this.#lastAnswerMs) {
      this.#lastAnswerMs = this.answeredAtMs;
      this.#computedMs = computedBy(this.#child.pid);
    }
    this.order({ do: 'ping', id: ++this.#asked });
  }

  /** What it has computed so far, ms. Never resolves if it does not answer. */
  usage(): Promise<number> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#usage.set(id, resolve);
      this.order({ do: 'usage', id });
    });
  }

  /**
   * Lets it go. @returns what kept it, in words, if it did not end by itself within so long; it has ended in any case.
   * The process reports it itself, since on a busy machine it may only be slow. After a minute without a report it counts as stuck.
   */
  async end(withinMs: number): Promise<string | undefined> {
    this.order({ do: 'end', withinMs });
    this.#isExpected = true;
    let timer: NodeJS.Timeout | undefined;
    const kept = new Promise<string>((resolve) => {
      this.#onKept = (by) => resolve(`kept by ${by.join(', ') || 'nothing that Node knows'}`);
      timer = setTimeout(() => resolve('without a word'), Math.max(DEAF_MS, withinMs));
    });
    const why = await Promise.race([this.exited.then(() => undefined), kept]);
    clearTimeout(timer);
    if (why !== undefined) await this.kill();
    return why;
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const read = JSON.parse(line) as Entry | Answer;
      this.#hasAnswered = true;
      this.answeredAtMs = Math.max(this.answeredAtMs, read.at);
      if (read.what === 'usage') {
        this.#usage.get(read.id)?.(read.cpuMs);
        this.#usage.delete(read.id);
      } else if (read.what === 'kept') this.#onKept(read.by);
      else if (read.what !== 'pong') this.onEntry(read);
    }
  }
}

/** Of a clock that all processes of this machine share, ms. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function firstLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^node:|^\^|^Node\.js/.test(line))
    .slice(0, 6)
    .join(' | ');
}

/** Of a process, ms of all processors; NaN where the system does not say. */
function computedBy(pid: number | undefined): number {
  try {
    // Times follow the name, which is in parentheses and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return Number.NaN;
  }
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;
