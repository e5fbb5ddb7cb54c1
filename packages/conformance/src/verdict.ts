import { CAPABILITIES, type Capability, type CapabilityName, type Level, type Manifest } from '@polycast/core';
import { type ConformanceCase, provenBy } from './case.ts';
import type { CaseResult, ConformanceReport, Finding } from './report.ts';

const NAMES = Object.keys(CAPABILITIES) as CapabilityName[];

/** What each claim of a manifest is worth after a run. */
export function judge(
  claimed: Manifest,
  cases: readonly ConformanceCase[],
  results: readonly CaseResult[],
): readonly Finding[] {
  const byId = new Map(results.map((result) => [result.id, result]));
  return NAMES.flatMap((capability): Finding[] => {
    const level = claimed.capabilities[capability]?.level ?? 'none';
    if (level === 'none') return [];
    const about = cases.filter((test) => provenBy(test).includes(capability));
    const musts = about.flatMap((test) => {
      const result = byId.get(test.id);
      return result?.grade === 'MUST' ? [{ test, result }] : [];
    });
    const failed = musts.filter(({ result }) => result.status === 'failed');
    if (failed.length > 0) {
      const onlyBelow = failed.every(({ test }) => test.requires?.native?.includes(capability));
      return [
        {
          kind: 'claims-too-much',
          capability,
          claimed: level,
          confirmed: onlyBelow && level === 'native' ? 'emulated' : 'none',
          reason: `broken by ${list(failed.map(({ test }) => test.id))}`,
          cases: failed.map(({ test }) => test.id),
        },
      ];
    }
    if (musts.some(({ result }) => result.status === 'passed')) return [];
    return [
      {
        kind: 'unconfirmed',
        capability,
        claimed: level,
        confirmed: level,
        reason: about.length === 0 ? 'no case is about it' : `no case about it ran: ${list(about.map(({ id }) => id))}`,
        cases: about.map(({ id }) => id),
      },
    ];
  });
}

/** The manifest that users may be shown: the transport's own, corrected by what the run found. */
export function confirmedManifest(report: Pick<ConformanceReport, 'claimed' | 'findings'>): Manifest {
  const capabilities: Record<CapabilityName, Capability> = { ...report.claimed.capabilities };
  for (const { kind, capability, confirmed, reason } of report.findings) {
    if (kind === 'claims-too-much') {
      capabilities[capability] = {
        level: confirmed,
        note: `Claimed ${capabilities[capability].level}, but ${reason}.`,
      };
    } else if (kind === 'unconfirmed') {
      const before = capabilities[capability];
      const note = [before.note, 'Not confirmed by the conformance suite.'].filter(Boolean).join(' ');
      capabilities[capability] = { ...before, note };
    }
  }
  return { ...report.claimed, capabilities };
}

/** The manifest with one capability at another level: to try what it denies. */
export function lifted(manifest: Manifest, capability: CapabilityName, level: Level): Manifest {
  return {
    ...manifest,
    capabilities: { ...manifest.capabilities, [capability]: { ...manifest.capabilities[capability], level } },
  };
}

function list(ids: readonly string[]): string {
  return ids.length <= 5 ? ids.join(', ') : `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more`;
}
