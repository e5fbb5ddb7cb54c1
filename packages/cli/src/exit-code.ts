import { type ErrorCode, PolycastError } from '@polycast/core';

/** What the exit status of every command means. */
export const EXIT = {
  /** Done, and all is well. */
  ok: 0,
  /** It ran, and the answer is no: a MUST failed, events were lost, something is missing or was refused. */
  failed: 1,
  /** The command line, a file it names or the configuration is invalid. Nothing was done. */
  usage: 2,
  /** The service is unreachable or refused access. */
  unreachable: 3,
  /** Ended by Ctrl-C before it was done. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const USAGE: readonly ErrorCode[] = [
  'invalid-address',
  'invalid-topic',
  'invalid-event',
  'invalid-payload',
  'invalid-filter',
  'invalid-configuration',
  'unknown-transport',
  'transport-not-installed',
];
const UNREACHABLE: readonly ErrorCode[] = [
  'unreachable',
  'unauthorized',
  'protocol-mismatch',
  'disconnected',
  'timeout',
];

/** The exit status for whatever a command threw. */
export function exitCodeOf(thrown: unknown): ExitCode {
  if (thrown instanceof UsageError) return EXIT.usage;
  if (thrown instanceof Interrupted) return EXIT.interrupted;
  if (!(thrown instanceof PolycastError)) return EXIT.failed;
  // Nothing but Ctrl-C aborts what a command does.
  if (thrown.code === 'aborted') return EXIT.interrupted;
  if (USAGE.includes(thrown.code)) return EXIT.usage;
  return UNREACHABLE.includes(thrown.code) ? EXIT.unreachable : EXIT.failed;
}

/** The command line asks for something that has no meaning. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Ctrl-C ended the command. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('interrupted');
  }
}
