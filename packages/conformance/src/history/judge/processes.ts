import type { Reading } from '../reading.ts';
import type { Violation } from './violation.ts';

/** Largest part of the time that an idle process may compute. */
const IDLE_SHARE = 0.5;

/** What became of the processes, and what they left behind. */
export function judgeProcesses(reading: Reading): readonly Violation[] {
  return [
    ...reading.died.map(
      ({ process, how }) => ({ kind: 'died', message: `${process} ended by itself: ${how}` }) as const,
    ),
    ...reading.silent.map(
      ({ process, forMs }) =>
        ({ kind: 'silent', message: `${process} did not answer for ${Math.round(forMs)} ms` }) as const,
    ),
    ...reading.residue
      .filter(({ names }) => names.length > 0)
      .map(
        ({ where, names }) => ({ kind: 'residue', message: `left ${where}: ${names.slice(0, 5).join(', ')}` }) as const,
      ),
    ...reading.idle
      .filter(({ forMs, cpuMs }) => cpuMs > forMs * IDLE_SHARE)
      .map(
        ({ process, forMs, cpuMs }) =>
          ({
            kind: 'busy',
            message: `${process} computed ${Math.round(cpuMs)} of ${Math.round(forMs)} ms at rest`,
          }) as const,
      ),
  ];
}

/**
 * The longest time until an event was handled for the first time, counted from when it was published or, if that was later,
 * from when the last fault before had ended. What was paused, retried or republished is left out.
 */
export function longestRecoveryMs(reading: Reading): number {
  let longest = 0;
  for (const receiver of reading.receivers.values()) {
    if (receiver.kind !== 'plain' || receiver.subs.some(({ everPaused }) => everPaused)) continue;
    for (const [n, calls] of receiver.calls) {
      const copies = reading.byEvent.get(n);
      const first = calls[0];
      if (copies?.length !== 1 || first === undefined) continue;
      const healed = reading.faults.filter(({ healedAt }) => healedAt < first.at).map(({ healedAt }) => healedAt);
      // Only what a fault can have held up.
      if (healed.length === 0 || reading.faults.some(({ at, healedAt }) => at < first.at && healedAt > first.at))
        continue;
      longest = Math.max(longest, first.at - Math.max(copies[0]!.at, ...healed));
    }
  }
  return longest;
}
