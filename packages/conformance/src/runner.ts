import { CAPABILITIES, type CapabilityName, type Manifest, type Transport } from '@polycast/core';
import { ConformanceFailure, check, showError } from './assert.ts';
import { type ConformanceCase, provenBy, ruledOut, runsAlone } from './case.ts';
import { CASES } from './cases/index.ts';
import { gradeOf } from './clauses/index.ts';
import { CaseContext } from './context.ts';
import { lag } from './lag.ts';
import { hash, seeded } from './random.ts';
import { type CaseResult, type ConformanceReport, type Finding, summarize, withoutSecrets } from './report.ts';
import { SignalNotes } from './signal-notes.ts';
import { StrayWatch, Watched } from './strays.ts';
import { beyond, type ConformanceTarget, missing } from './target.ts';
import { confirmedManifest, judge, lifted } from './verdict.ts';
import { nowMs, within } from './wait.ts';

/** @default for `concurrency` */
export const DEFAULT_CONCURRENCY = 12;
/** @default for `patienceMs` */
export const DEFAULT_PATIENCE_MS = 5_000;
/** @default for `quietMs` */
export const DEFAULT_QUIET_MS = 30;
/** @default for `caseTimeoutMs` */
export const DEFAULT_CASE_TIMEOUT_MS = 30_000;

export interface RunOptions {
  /** The cases to run. @default all: {@link CASES} */
  readonly cases?: readonly ConformanceCase[];
  /** Only cases whose id or clause contains one of these. */
  readonly only?: readonly string[];
  /** Seed of the generated parts. @default random; the report contains it */
  readonly seed?: number;
  /** Maximum number of cases that run at once, if they do not affect one another. @default {@link DEFAULT_CONCURRENCY} */
  readonly concurrency?: number;
  /** Maximum wait for one expected condition, ms. @default {@link DEFAULT_PATIENCE_MS} */
  readonly patienceMs?: number;
  /** Extra wait for unwanted events, if no later event can prove their absence, ms. @default {@link DEFAULT_QUIET_MS} */
  readonly quietMs?: number;
  /** Maximum duration of a case without its own limit, ms. @default {@link DEFAULT_CASE_TIMEOUT_MS} */
  readonly caseTimeoutMs?: number;
  /** Also try capabilities that the manifest denies, and report those that work. @default true */
  readonly tryUnclaimed?: boolean;
  /** Results of an earlier, incomplete run of the same transport. Their cases are not run again; the report includes them. @default none */
  readonly known?: readonly CaseResult[];
  /** Called when a case begins. */
  readonly onBegin?: (id: string) => void;
  /** Called when a case ends. */
  readonly onCase?: (result: CaseResult, progress: { readonly done: number; readonly total: number }) => void;
  /** When aborted, cases that have not begun are reported as `not-run`. @default none */
  readonly abortSignal?: AbortSignal;
}

/**
 * Checks a transport against the contract. Resolves with a report even if every case fails; rejects only if the target cannot
 * create a transport. Does not dispose of the target.
 */
export async function runConformance(target: ConformanceTarget, options: RunOptions = {}): Promise<ConformanceReport> {
  const began = nowMs();
  const seed = options.seed ?? Math.floor(Math.random() * 0x7fffffff);
  const cases = select(options.cases ?? CASES, options.only);
  const probe = target.transport();
  const claimed = probe.manifest;
  const run = new Run(target, claimed, seed, options, cases.length);
  const rest = lag.measure();
  run.strays.begin();
  let findings: Finding[];
  try {
    const open = cases.filter(({ id }) => !run.results.has(id));
    const shared = open.filter((test) => !runsAlone(test));
    const alone = open.filter(runsAlone);
    await pool(shared, options.concurrency ?? DEFAULT_CONCURRENCY, (test) => run.one(test));
    for (const test of alone) await run.one(test);
    findings = options.tryUnclaimed === false ? [] : [...(await tryUnclaimed(run, claimed, cases, options))];
  } finally {
    run.strays.end();
    rest();
  }

  const results = run.finalResults(cases);
  findings.unshift(...judge(claimed, cases, results));
  return {
    transport: claimed.transport,
    url: withoutSecrets(target.url ?? probe.location),
    manifest: confirmedManifest({ claimed, findings }),
    cases: results,
    summary: summarize(results),
    claimed,
    findings,
    seed,
    durationMs: Math.round(nowMs() - began),
  };
}

/** One pass over cases against one target. */
class Run {
  readonly results = new Map<string, CaseResult>();
  readonly strays = new StrayWatch();
  readonly #watched = new Map<string, Watched>();
  readonly #target: ConformanceTarget;
  readonly #manifest: Manifest;
  readonly #seed: number;
  readonly #options: RunOptions;
  readonly #total: number;
  /** Makes topics of different runs on one service differ. */
  readonly #id = Math.floor(Math.random() * 36 ** 6).toString(36);
  #begun = 0;

  constructor(target: ConformanceTarget, manifest: Manifest, seed: number, options: RunOptions, total: number) {
    this.#target = target;
    this.#manifest = manifest;
    this.#seed = seed;
    this.#options = options;
    this.#total = total;
    for (const result of options.known ?? []) this.results.set(result.id, result);
  }

  transport(): Transport {
    return this.#target.transport();
  }

  async one(test: ConformanceCase): Promise<void> {
    const began = nowMs();
    this.#options.onBegin?.(test.id);
    const verdict = await this.#verdict(test);
    const result: CaseResult = {
      id: test.id,
      clause: test.clause,
      grade: gradeOf(test.clause),
      title: test.title,
      ...verdict,
      durationMs: Math.round((nowMs() - began) * 100) / 100,
    };
    this.results.set(test.id, result);
    this.#options.onCase?.(result, { done: this.results.size, total: this.#total });
  }

  /** In the order of the cases. What a case left behind may have thrown after it ended. */
  finalResults(cases: readonly ConformanceCase[]): readonly CaseResult[] {
    return cases.flatMap(({ id }): readonly CaseResult[] => {
      const result = this.results.get(id);
      const thrown = this.#watched.get(id)?.thrown;
      if (result?.status !== 'passed' || thrown === undefined) return result === undefined ? [] : [result];
      return [{ ...result, status: 'failed', reason: `after it had passed: ${thrown} (seed ${this.#seed})` }];
    });
  }

  async #verdict(test: ConformanceCase): Promise<Pick<CaseResult, 'status' | 'reason' | 'signals'>> {
    try {
      return await this.#judged(test);
    } catch (thrown) {
      // Such as a manifest that lacks what it must have.
      return { status: 'failed', reason: `the case cannot be run: ${showError(thrown)}` };
    }
  }

  async #judged(test: ConformanceCase): Promise<Pick<CaseResult, 'status' | 'reason' | 'signals'>> {
    const excluded = ruledOut(test.requires, this.#manifest);
    if (excluded !== undefined) return { status: 'skipped', reason: excluded };
    for (const need of test.needs ?? []) {
      const reason = missing(this.#target, need);
      if (reason === undefined) continue;
      const pointless = beyond(this.#manifest, need);
      return pointless === undefined ? { status: 'not-run', reason } : { status: 'skipped', reason: pointless };
    }
    if (this.#options.abortSignal?.aborted) return { status: 'not-run', reason: 'the run was ended before it' };
    const signals = new SignalNotes();
    try {
      await this.attempt(test, this.#manifest, () => this.#target.transport(), { signals });
      return { status: 'passed' };
    } catch (thrown) {
      return {
        status: 'failed',
        reason: `${showError(thrown)} (seed ${this.#seed})`,
        ...(signals.lines.length > 0 && { signals: signals.lines }),
      };
    }
  }

  /** Runs a case once and tidies up. Rejects with what was broken. */
  async attempt(
    test: ConformanceCase,
    manifest: Manifest,
    makeTransport: () => Transport,
    {
      patienceMs = this.#options.patienceMs ?? DEFAULT_PATIENCE_MS,
      limitMs = test.timeoutMs ?? this.#options.caseTimeoutMs ?? DEFAULT_CASE_TIMEOUT_MS,
      signals = new SignalNotes(),
    }: { patienceMs?: number; limitMs?: number; signals?: SignalNotes } = {},
  ): Promise<void> {
    const seed = (this.#seed ^ hash(test.id)) >>> 0;
    const context = new CaseContext({
      manifest,
      target: this.#target,
      topic: `conformance-${this.#id}-${(++this.#begun).toString(36)}-t`,
      seed,
      random: seeded(seed),
      makeTransport,
      patienceMs,
      quietMs: this.#options.quietMs ?? DEFAULT_QUIET_MS,
      signals,
    });
    const watched = new Watched();
    this.#watched.set(test.id, watched);
    await this.strays.watch(watched, async () => {
      try {
        await within(test.run(context), limitMs, 'the case');
      } catch (thrown) {
        await context.tidy().catch(() => {});
        throw watched.thrown === undefined ? thrown : new ConformanceFailure(`${showError(thrown)}; ${watched.thrown}`);
      }
      await context.tidy();
    });
    check(watched.thrown === undefined, watched.thrown ?? '');
  }
}

/** How patient trying what is denied is: most of it fails, and should fail soon. */
const TRY_PATIENCE_MS = 500;
const TRY_LIMIT_MS = 4_000;

/**
 * Core acts by these claims: under a lifted manifest it would do what the transport denies, and the transport would seem to do it. Where
 * nothing holds a publisher back, core drops what a full buffer cannot take.
 */
const ACTED_ON_BY_CORE: ReadonlySet<CapabilityName> = new Set<CapabilityName>(['backPressure']);

/** Lifts each denied capability in turn and runs its cases: what works all the same is reported. */
async function tryUnclaimed(
  run: Run,
  claimed: Manifest,
  cases: readonly ConformanceCase[],
  options: RunOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const patienceMs = Math.min(options.patienceMs ?? DEFAULT_PATIENCE_MS, TRY_PATIENCE_MS);
  for (const capability of Object.keys(CAPABILITIES) as CapabilityName[]) {
    if ((claimed.capabilities[capability]?.level ?? 'none') !== 'none' || options.abortSignal?.aborted) continue;
    if (ACTED_ON_BY_CORE.has(capability)) continue;
    const manifest = lifted(claimed, capability, 'emulated');
    const about = cases.filter(
      (test) =>
        gradeOf(test.clause) === 'MUST' &&
        provenBy(test).includes(capability) &&
        (test.needs ?? []).length === 0 &&
        ruledOut(test.requires, manifest) === undefined,
    );
    if (about.length === 0) continue;
    const worked = await allPass(about, (test) =>
      run.attempt(test, manifest, () => relabeled(run.transport(), manifest), { patienceMs, limitMs: TRY_LIMIT_MS }),
    );
    if (!worked) continue;
    findings.push({
      kind: 'claims-too-little',
      capability,
      claimed: 'none',
      confirmed: 'emulated',
      reason: `works when tried: ${about.map(({ id }) => id).join(', ')}`,
      cases: about.map(({ id }) => id),
    });
  }
  return findings;
}

async function allPass(
  cases: readonly ConformanceCase[],
  attempt: (test: ConformanceCase) => Promise<void>,
): Promise<boolean> {
  for (const test of cases) {
    try {
      await attempt(test);
    } catch {
      return false;
    }
  }
  return true;
}

/** The same transport under another manifest. */
function relabeled(transport: Transport, manifest: Manifest): Transport {
  return { manifest, location: transport.location, open: (context) => transport.open(context) };
}

function select(cases: readonly ConformanceCase[], only: readonly string[] | undefined): readonly ConformanceCase[] {
  if (only === undefined || only.length === 0) return cases;
  return cases.filter(({ id, clause }) => only.some((part) => id.includes(part) || clause === part));
}

async function pool<Item>(items: readonly Item[], size: number, work: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(size, items.length)) }, worker));
}
