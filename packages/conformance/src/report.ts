import { type CapabilityName, type Level, type Manifest, redactUrl } from '@polycast/core';
import type { Grade } from './clause.ts';

/**
 * - `passed`: the clause was seen to hold.
 * - `failed`: it was seen broken; `reason` says how.
 * - `skipped`: the manifest says that the clause does not concern this transport.
 * - `not-run`: it could not be checked here: the harness cannot do what the case needs, or the run was cut short.
 */
export type CaseStatus = 'passed' | 'failed' | 'skipped' | 'not-run';

export interface CaseResult {
  /** What was signalled while a case ran that failed, such as `failed` or `corrupt`: each once, with how often. */
  readonly signals?: readonly string[];
  readonly id: string;
  readonly clause: string;
  readonly grade: Grade;
  readonly title: string;
  readonly status: CaseStatus;
  /** Always there unless passed. */
  readonly reason?: string;
  readonly durationMs: number;
}

/** Where the manifest and the results disagree. */
export interface Finding {
  /**
   * - `claims-too-much`: the manifest claims what cases saw broken. The run fails.
   * - `claims-too-little`: the manifest denies what works when tried.
   * - `unconfirmed`: the manifest claims what no case could check here.
   */
  readonly kind: 'claims-too-much' | 'claims-too-little' | 'unconfirmed';
  readonly capability: CapabilityName;
  readonly claimed: Level;
  /** What the results allow to be said. */
  readonly confirmed: Level;
  /** One sentence. */
  readonly reason: string;
  /** The ids of the cases it rests on. */
  readonly cases: readonly string[];
}

/** What a run found out. Plain JSON, but for `Infinity` in the manifest's limits (written as null). */
export interface ConformanceReport {
  /** The manifest's `transport`: `memory`, `redis+streams`. */
  readonly transport: string;
  /** Without secrets. */
  readonly url: string;
  /** What users may be shown: the manifest as the results confirm it. */
  readonly manifest: Manifest;
  readonly cases: readonly CaseResult[];
  readonly summary: {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
    readonly notRun: number;
  };
  /** What the transport said of itself. */
  readonly claimed: Manifest;
  readonly findings: readonly Finding[];
  /** `runConformance(target, { seed })` repeats the generated parts. */
  readonly seed: number;
  readonly durationMs: number;
}

/** Does the transport keep the contract? True only when no MUST failed. */
export function conforms(report: ConformanceReport): boolean {
  return !report.cases.some(({ grade, status }) => grade === 'MUST' && status === 'failed');
}

export function summarize(cases: readonly CaseResult[]): ConformanceReport['summary'] {
  const count = (status: CaseStatus) => cases.filter((one) => one.status === status).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), notRun: count('not-run') };
}

/** A URL (or anything that looks like one) without passwords, keys and tokens. */
export function withoutSecrets(url: string): string {
  return redactUrl(url);
}
