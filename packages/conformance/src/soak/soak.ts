import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { type ErrorCode, PolycastError } from '@polycast/core';
import { withoutSecrets } from '../report.ts';
import { builtFile } from './built-file.ts';
import type { LaneNews, LaneOrder, Played } from './lane-news.ts';
import type { FaultKind } from './plan.ts';
import type { Failure, SoakReport } from './report.ts';
import { addCounts, type FaultCounts, total } from './tally.ts';

/** How long a lane that was told to stop may take to leave everything as it was, ms. Then it is killed. */
const STOP_WITHIN_MS = 30_000;
/** Maximum search for a shorter history, ms. */
export const DEFAULT_SHRINK_MS = 60_000;
/** Failures whose history is shortened: one for each way of breaking the contract, so many in all. */
const MAX_SHRUNK = 4;
/** Histories that a lane plays before it is replaced: what a service in it has kept goes with it. */
const HISTORIES_EACH = 60;

export interface SoakOptions {
  /** Module that exports `harness`: a `file:` URL of a built file. */
  readonly harness: string;
  readonly url: string;
  /** Start a service for the run, which may be broken. @default false */
  readonly local?: boolean;
  /** The soak ends when so many faults were done. */
  readonly faults: number;
  /** @default random; the report says which */
  readonly seed?: number;
  /** The soak ends after so long, whatever was done. @default no limit */
  readonly forMs?: number;
  /** Histories at the same time, each on a service of its own if `local`. @default twice the processors, at most 8 */
  readonly lanes?: number;
  /** Maximum search for a shorter history after a failure. 0: none. @default {@link DEFAULT_SHRINK_MS} */
  readonly shrinkMs?: number;
  /** Ends the soak; what was seen so far is reported. */
  readonly abortSignal?: AbortSignal;
  /** Called after each history. */
  readonly onProgress?: (soFar: SoakReport) => void;
  /** Called with each failure, when its history has been shortened. */
  readonly onFailure?: (failure: Failure) => void;
  /** A defect put around the transport: the soak's own test. */
  readonly mutant?: string;
  /** Writes the records of failing histories into this folder, one file each. @default not at all */
  readonly recordTo?: string;
  /** Ends with the first failure. @default false */
  readonly bail?: boolean;
}

/**
 * Plays generated histories with faults over real processes until enough faults were done, and judges each.
 * Never rejects because of what the transport does.
 * @throws PolycastError (a rejection) when the harness cannot be made
 */
export function runSoak(options: SoakOptions): Promise<SoakReport> {
  return new Soak(options).run();
}

type Sums = Record<
  'published' | 'lost' | 'duplicated' | 'reordered' | 'unannounced' | 'falseSignals' | 'residue',
  number
>;

class Soak {
  readonly #options: SoakOptions;
  readonly #seed: number;
  readonly #startedAtMs = performance.now();
  readonly #faults: FaultCounts = {};
  readonly #sums: Sums = {
    published: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    unannounced: 0,
    falseSignals: 0,
    residue: 0,
  };
  readonly #violations: Record<string, number> = {};
  readonly #failures: Failure[] = [];
  readonly #shrunk = new Set<string>();
  readonly #lanes = new Set<ChildProcess>();
  #longestRecoveryMs = 0;
  #histories = 0;
  #given = 0;
  #transport = '';
  #untried: readonly FaultKind[] = [];
  #error: PolycastError | undefined;
  #isStopping = false;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#seed = options.seed ?? Math.floor(Math.random() * 0x7fffffff);
  }

  async run(): Promise<SoakReport> {
    const { abortSignal: signal, forMs, lanes = Math.min(8, 2 * availableParallelism()) } = this.#options;
    const stop = () => this.#stop();
    const timer = forMs === undefined ? undefined : setTimeout(stop, forMs);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    const wanted = Math.max(1, Math.min(lanes, Math.ceil(this.#options.faults / 5)));
    try {
      await Promise.all(Array.from({ length: wanted }, () => this.#lane()));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
    if (this.#error !== undefined && this.#histories === 0) throw this.#error;
    return this.#report();
  }

  get #isEnough(): boolean {
    return this.#isStopping || total(this.#faults) >= this.#options.faults;
  }

  /** One lane after the other, as long as there is something to do. */
  async #lane(): Promise<void> {
    do await this.#one();
    while (!this.#isEnough && this.#error === undefined);
  }

  #one(): Promise<void> {
    const { harness, url, local = false, mutant, recordTo, shrinkMs = DEFAULT_SHRINK_MS } = this.#options;
    // Its output goes to our stderr: stdout may be a report.
    const child = fork(builtFile('lane'), [], {
      execArgv: [],
      stdio: ['ignore', process.stderr.fd, process.stderr.fd, 'ipc'],
    });
    this.#lanes.add(child);
    const order = (order: LaneOrder) => child.send(order, () => {});
    const kill = () => void child.kill('SIGKILL');
    process.once('exit', kill);
    let played = 0;
    let last: number | undefined;
    let isOver = false;
    child.on('message', (news: LaneNews) => {
      if ('ready' in news) {
        this.#transport = news.ready.transport;
        this.#untried = news.ready.untried;
      } else if ('wants' in news) {
        if (this.#isEnough || played >= HISTORIES_EACH) return order({ stop: true });
        last = this.#nextSeed();
        return order({ seed: last });
      } else if ('played' in news) {
        played++;
        last = undefined;
        this.#take(news.played);
      } else if ('failed' in news) return order({ seed: this.#isWorthShrinking(news.failed) ? 1 : 0 });
      else if ('failure' in news) this.#fail(news.failure);
      else if ('left' in news) {
        const { seed, violations } = news.left;
        this.#sums.residue += violations.length;
        this.#count(violations);
        this.#fail({ seed, violations, steps: [], of: 0, reproduced: false });
      } else if ('broken' in news) {
        isOver = true;
        this.#error ??= new PolycastError(news.broken.code as ErrorCode, news.broken.message.replace(/^[a-z-]+: /, ''));
      } else isOver = true;
      return undefined;
    });
    order({
      begin: {
        harness,
        url,
        local,
        shrinkMs,
        ...(mutant === undefined ? {} : { mutant }),
        ...(recordTo === undefined ? {} : { recordTo }),
      },
    });
    return new Promise((resolve) => {
      child.on('error', () => resolve());
      child.once('close', (code, signal) => {
        process.off('exit', kill);
        this.#lanes.delete(child);
        // A service that lives in the lane has ended it: that is a finding, too.
        if (!isOver && !this.#isStopping) {
          const how = signal ?? `exit code ${code}`;
          if (last === undefined && played === 0)
            this.#error ??= new PolycastError('internal', `a lane of the soak ended (${how})`);
          else {
            const violations = [{ kind: 'died', message: `the service of the run ended (${how})` }] as const;
            this.#count(violations);
            this.#fail({ seed: last ?? this.#seed, violations, steps: [], of: 0, reproduced: false });
          }
        }
        resolve();
      });
    });
  }

  #nextSeed(): number {
    const at = this.#given++;
    // The first history of a seed is that of the seed itself: so each can be played alone.
    return at === 0 ? this.#seed : (this.#seed ^ Math.imul(at, 0x9e3779b1)) & 0x7fffffff;
  }

  #take(played: Played): void {
    this.#histories++;
    addCounts(this.#faults, played.faults);
    for (const name of Object.keys(this.#sums) as (keyof Sums)[]) this.#sums[name] += played[name];
    this.#longestRecoveryMs = Math.max(this.#longestRecoveryMs, played.longestRecoveryMs);
    this.#count(played.violations);
    this.#options.onProgress?.(this.#report());
  }

  #count(violations: Played['violations']): void {
    for (const { kind } of violations) this.#violations[kind] = (this.#violations[kind] ?? 0) + 1;
  }

  #isWorthShrinking(kinds: readonly string[]): boolean {
    const { shrinkMs = DEFAULT_SHRINK_MS } = this.#options;
    const fresh = kinds.find((kind) => !this.#shrunk.has(kind));
    if (shrinkMs === 0 || fresh === undefined || this.#shrunk.size >= MAX_SHRUNK || this.#isStopping) return false;
    for (const kind of kinds) this.#shrunk.add(kind);
    return true;
  }

  #fail(failure: Failure): void {
    this.#failures.push(failure);
    this.#options.onFailure?.(failure);
    if (this.#options.bail === true) this.#stop();
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    for (const lane of this.#lanes) {
      lane.send({ stop: true } satisfies LaneOrder, () => {});
      setTimeout(() => lane.kill('SIGKILL'), STOP_WITHIN_MS).unref();
    }
  }

  #report(): SoakReport {
    return {
      transport: this.#transport,
      url: withoutSecrets(this.#options.url),
      seed: this.#seed,
      histories: this.#histories,
      faults: { ...this.#faults },
      ...this.#sums,
      longestRecoveryMs: this.#longestRecoveryMs,
      violations: { ...this.#violations },
      failures: [...this.#failures],
      untried: this.#untried,
      durationMs: Math.round(performance.now() - this.#startedAtMs),
      interrupted: total(this.#faults) < this.#options.faults,
    };
  }
}
