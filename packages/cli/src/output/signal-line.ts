import type { PolycastError, Signal } from '@polycast/core';
import { showMs } from './numbers.ts';
import { hideSecrets } from './secrets.ts';
import type { Terminal } from './terminal.ts';

/** A signal as one line for people. */
export function describeSignal(signal: Signal, { colors, secrets }: Pick<Terminal, 'colors' | 'secrets'>): string {
  const isGood = signal.kind === 'reconnected' && !signal.mayHaveLost;
  return (isGood ? colors.green : colors.yellow)(hideSecrets(`${signal.kind}: ${words(signal)}`, secrets));
}

/** Messages start with their code; `disconnected: disconnected:` says it twice. */
function withoutCode({ code, message }: PolycastError): string {
  return message.replace(`${code}: `, '');
}

function words(signal: Signal): string {
  switch (signal.kind) {
    case 'gap': {
      const from = signal.source === undefined ? '' : ` from ${signal.source}`;
      return `${signal.count ?? 'some'} events${from} are missing (${signal.reason})`;
    }
    case 'disconnected':
      return `${withoutCode(signal.error)}; trying to reconnect`;
    case 'reconnected': {
      const loss = signal.mayHaveLost ? 'events published meanwhile may be lost' : 'no known loss';
      return `after ${showMs(signal.downMs)}; ${loss}`;
    }
    case 'stalled':
      return `${signal.what === 'server' ? 'the server has not answered' : 'a handler has not returned'} for ${showMs(signal.sinceMs)}`;
    case 'expired':
      return `events from ${signal.source} arrived after their time to live; compare the clocks and the ttlMs (first: ${signal.eventId})`;
    case 'corrupt':
      return `skipped a message that is not a valid event: ${signal.error.message}`;
    case 'duplicate-instance':
      return `another process uses the instance id ${signal.instance}`;
    case 'dead-lettered':
      return `${signal.eventId} after ${signal.attempts} attempts: ${signal.reason}${signal.kept === undefined ? '' : ` (kept in ${signal.kept})`}`;
    case 'failed':
      return `${signal.what}: ${signal.error.message}`;
  }
}
