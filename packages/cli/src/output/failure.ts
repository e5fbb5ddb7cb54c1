import { type ErrorCode, PolycastError } from '@polycast/core';
import { Interrupted, UsageError } from '../exit-code.ts';
import { hideSecrets } from './secrets.ts';
import type { Terminal } from './terminal.ts';

/** What to do about an error, by its code. Codes whose message says it all have none. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  unreachable: 'check that the server is running, and that host and port are correct',
  unauthorized:
    'check the user name and password (Service Bus: policy name and key); in a URL, special characters must be percent-encoded',
  'protocol-mismatch': 'another service is listening at that address, or only one side uses TLS (rediss:// means TLS)',
  'transport-not-installed': 'install it beside polycast, then try again',
  'unknown-transport': '`polycast doctor` lists the transports that are installed',
  unsupported: '`polycast conform` shows what a transport offers',
  'payload-too-large': 'send less, or choose a transport with a higher limit (`polycast compare` shows limits)',
  timeout: 'the server is slow or stuck; the outcome is unknown',
  disconnected: 'the connection broke; the outcome is unknown',
  'storage-full': 'the server has no room left (Redis: raise maxmemory, or shorten retention)',
  'not-found': 'create it first; `polycast sub --create` creates a topic that is missing',
  internal: 'this should not happen: run again with --verbose and report what it prints',
};

/** Prints `code: message`, and what to do. No stack unless `verbose`; never a secret. */
export function showFailure(thrown: unknown, terminal: Terminal, { verbose }: { verbose: boolean }): void {
  const { stderr, colors, secrets } = terminal;
  if (thrown instanceof Interrupted) return;
  const { headline, advice } = explain(thrown);
  stderr.write(`${coloured(hideSecrets(headline, secrets), colors)}\n`);
  if (advice !== undefined) stderr.write(`  ${colors.dim('→')} ${advice}\n`);
  if (!verbose) return;
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++) {
    const label = depth === 0 ? '' : 'caused by ';
    stderr.write(`${colors.dim(hideSecrets(`${label}${error.stack ?? error.message}`, secrets))}\n`);
  }
}

/** The sentence and the caret that points at a place in red, what stands between them as it is. */
function coloured(headline: string, { red }: Terminal['colors']): string {
  return headline
    .split('\n')
    .map((line, at) => (at === 0 || /^ *\^$/.test(line) ? red(line) : line))
    .join('\n');
}

function explain(thrown: unknown): { headline: string; advice?: string | undefined } {
  if (thrown instanceof PolycastError) return { headline: thrown.message, advice: ADVICE[thrown.code] };
  if (thrown instanceof UsageError) return { headline: `error: ${thrown.message}` };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = (thrown as { code?: unknown } | null)?.code;
  if (typeof code === 'string' && thrown instanceof Error) return { headline: `${code}: ${message}` };
  return { headline: `error: ${message}`, advice: '--verbose shows where it comes from' };
}

/** What to do about an error with this code, beyond what its message says. */
export function adviceFor(code: ErrorCode): string | undefined {
  return ADVICE[code];
}
