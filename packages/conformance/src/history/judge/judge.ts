import { Reading } from '../reading.ts';
import type { Entry, Promises } from '../record.ts';
import { judgeDelivery, lossesOf } from './delivery.ts';
import { judgeLifetimes } from './lifetime.ts';
import { judgeExclusion, judgeOrder } from './order.ts';
import { judgeProcesses, longestRecoveryMs } from './processes.ts';
import { judgeSignals } from './signals.ts';
import { judgeTries } from './tries.ts';
import type { Violation, ViolationKind } from './violation.ts';

/** What one recorded history came to. */
export interface Judgement {
  /** Publishes that resolved. */
  readonly published: number;
  /** Events that a subscription was owed and never got, announced or not. */
  readonly lost: number;
  /** Of these, the ones that were not announced. */
  readonly unannounced: number;
  /** Events that were handled again after they had been accepted: those that the contract allows are counted, too. */
  readonly duplicated: number;
  readonly reordered: number;
  readonly falseSignals: number;
  readonly residue: number;
  readonly longestRecoveryMs: number;
  /** What breaks the contract; empty if nothing does. */
  readonly violations: readonly Violation[];
}

/** Judges a recorded history against what the manifest promises. Pure: the same record has the same judgement. */
export function judge(entries: readonly Entry[], promises: Promises): Judgement {
  const reading = new Reading(entries);
  const losses = lossesOf(reading, promises);
  const violations = [
    ...judgeDelivery(reading, losses, promises),
    ...judgeTries(reading, promises),
    ...judgeOrder(reading, promises),
    ...judgeExclusion(reading, promises),
    ...judgeSignals(reading, promises),
    ...judgeLifetimes(reading, promises),
    ...judgeProcesses(reading),
  ];
  const count = (kind: ViolationKind) => violations.filter((one) => one.kind === kind).length;
  return {
    published: reading.publications.filter(({ resolved }) => resolved).length,
    lost: losses.length,
    unannounced: losses.filter(({ announced }) => !announced).length,
    duplicated: repeated(reading),
    reordered: count('reordered'),
    falseSignals: count('false-signal'),
    residue: count('residue'),
    longestRecoveryMs: Math.round(longestRecoveryMs(reading)),
    violations,
  };
}

/** Is anything still to come? While it is, a history goes on waiting. */
export function isOwing(entries: readonly Entry[], promises: Promises): boolean {
  const reading = new Reading(entries);
  // What the service itself has lost does not come any more.
  const isKept = promises.atLeastOnce && !reading.faults.some(({ loses }) => loses);
  return lossesOf(reading, promises).some(({ announced }) => !announced || isKept);
}

function repeated(reading: Reading): number {
  let again = 0;
  for (const receiver of reading.receivers.values()) {
    for (const calls of receiver.calls.values()) {
      again += Math.max(0, calls.filter(({ outcome }) => outcome === 'accepted').length - 1);
    }
  }
  return again;
}
