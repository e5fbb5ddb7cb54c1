import type { Participant } from '../contract/participant.ts';
import type { Signal } from '../contract/signal.ts';

interface Process {
  emitWarning?(message: string, options: { readonly type: string; readonly code: string }): void;
}

/**
 * Prints a signal for which no listener is registered: through `process.emitWarning`, which `--no-warnings`, `--trace-warnings` and the event `warning`
 * govern, or `console.warn` where there is none. Loaded when it is first needed.
 * @param warned kinds that were printed, which are not again
 */
export function warnOf(signal: Signal, topic: string, { role, instance }: Participant, warned: Set<string>): void {
  const { kind } = signal;
  if (warned.has(kind) || isOrdinary(signal)) return;
  warned.add(kind);
  const message = `${topic}, ${role}/${instance}: ${clean(sentenceOf(signal))}. No signal listener is registered: pass onSignal to connect() or subscribe(), or call broadcaster.onSignal(). Further '${kind}' signals of this broadcaster are not printed.`;
  const { process } = globalThis as { process?: Process };
  const code = `POLYCAST_${kind.toUpperCase().replaceAll('-', '_')}`;
  if (typeof process?.emitWarning === 'function') process.emitWarning(message, { type: 'PolycastWarning', code });
  else console.warn(`PolycastWarning [${code}]: ${message}`);
}

/** A loop was left, and nothing else brings its last event again. In the words of `subscription.ts`, which this must not load. */
const RELEASED_WHILE_CLOSING = 'released while closing';

/** Does it report neither a failure nor a loss? */
function isOrdinary(signal: Signal): boolean {
  if (signal.kind === 'reconnected') return !signal.mayHaveLost;
  return signal.kind === 'dead-lettered' && signal.reason === RELEASED_WHILE_CLOSING;
}

function sentenceOf(signal: Signal): string {
  switch (signal.kind) {
    case 'gap':
      return `events${signal.source === undefined ? '' : ` of ${signal.source}`} are missing (${signal.reason}${signal.count === undefined ? '' : `, ${signal.count}`})`;
    case 'disconnected':
      return `the connection is lost and being restored: ${signal.error.message}`;
    case 'reconnected':
      return 'the connection is back; events published meanwhile may be lost';
    case 'stalled':
      return `${signal.what === 'server' ? 'the server has not answered' : 'a handler has not returned'} for ${Math.round(signal.sinceMs)} ms`;
    case 'expired':
      return `event ${signal.eventId} of ${signal.source} expired before it could be handled`;
    case 'corrupt':
      return `a message was skipped: ${signal.error.message}`;
    case 'duplicate-instance':
      return `another process uses the instance id ${signal.instance}`;
    case 'dead-lettered':
      return `event ${signal.eventId} was ${signal.kept === undefined ? 'dropped' : `dead-lettered (${signal.kept})`} after ${signal.attempts} ${signal.attempts === 1 ? 'attempt' : 'attempts'}: ${signal.reason}`;
    case 'failed':
      return `${FAILED[signal.what]}: ${signal.error.message}`;
  }
}

const FAILED = {
  publish: 'a publish failed',
  settle: 'a delivery could not be settled',
  source: 'a subscription failed',
} as const;

/** Ids, sources and reasons come off a wire: nothing of them may forge a line, or a terminal's control sequence. */
function clean(text: string): string {
  return text.slice(0, MAX_LENGTH).replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ');
}

const MAX_LENGTH = 500;
