import { type ErrorCode, PolycastError, reasonOf } from '@polycast/core/adapter';

/** What was going on: while opening, a lost connection means that there never was one. */
export type Phase = 'open' | 'use';

/** First words of Redis's error replies. @see https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const REPLIES: Readonly<Record<string, ErrorCode>> = {
  WRONGPASS: 'unauthorized',
  NOAUTH: 'unauthorized',
  NOPERM: 'unauthorized',
  DENIED: 'unauthorized',
  OOM: 'storage-full',
  MISCONF: 'storage-full',
  LOADING: 'throttled',
  BUSY: 'throttled',
  CLUSTERDOWN: 'throttled',
  TRYAGAIN: 'throttled',
  MASTERDOWN: 'throttled',
  NOREPLICAS: 'throttled',
  // A failover is under way: nothing was done, and the right server is elsewhere.
  READONLY: 'disconnected',
  MOVED: 'disconnected',
  ASK: 'disconnected',
  UNBLOCKED: 'disconnected',
  NOGROUP: 'not-found',
  WRONGTYPE: 'invalid-configuration',
  NOPROTO: 'protocol-mismatch',
};

/** A reply within a longer message: of a script (before Redis 7), of a check, of a Sentinel or a cluster that gave up. */
const WITHIN = new RegExp(`: -?(${Object.keys(REPLIES).join('|')})(?= )`);

/** Messages that need more than the first word; the first that fits counts. */
const MESSAGES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/invalid (username or )?password|without any password configured|Client sent AUTH/i, 'unauthorized'],
  // A script may not do what its user may not: before Redis 7.2, and from then on.
  [/user executing the script (can't|is lacking)|ACL failure in script|has no permissions to/i, 'unauthorized'],
  [/max number of clients reached/i, 'throttled'],
  [/DB index is out of range|invalid DB index|SELECT is not allowed/i, 'invalid-configuration'],
  [/unknown command|unknown subcommand|cluster support disabled/i, 'unsupported'],
  // The second: ioredis 6.
  [/Protocol error|Unknown RESP type/i, 'protocol-mismatch'],
  [/timed out|Timeout/i, 'timeout'],
  [
    /Connection is closed|max retries per request|aborted due to connection|isn't writeable|isn't ready|is disconnect(ed|ing)|Socket closed/i,
    'disconnected',
  ],
  [/All sentinels are unreachable|Failed to refresh slots cache|None of startup nodes/i, 'disconnected'],
];

/** Of Node's sockets and TLS. */
const SYSTEM: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^(EPROTO|ERR_SSL_|HPE_)/, 'protocol-mismatch'],
  [/CERT|^UNABLE_TO|^SELF_SIGNED|^DEPTH_ZERO|^ERR_TLS/, 'protocol-mismatch'],
  [/^(ECONN|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|EPIPE|EADDR|EACCES|ENOENT)/, 'disconnected'],
];

/** Any thrown value as a PolycastError, without secrets. Total: it never throws. */
export function mapError(thrown: unknown, phase: Phase = 'use'): PolycastError {
  if (thrown instanceof PolycastError) {
    const isLate = phase === 'open' && thrown.code === 'timeout';
    return isLate ? new PolycastError('unreachable', reasonOf(thrown), { cause: thrown }) : thrown;
  }
  const root = rootOf(thrown);
  const code = codeOf(root);
  const cause = redacted(root);
  if (phase === 'open' && (code === 'disconnected' || code === 'timeout')) {
    return new PolycastError('unreachable', cause.message, { cause });
  }
  return new PolycastError(code, cause.message, { cause });
}

function codeOf(error: { message: string; code: string }): ErrorCode {
  const text = error.message;
  const byReply = REPLIES[/^[A-Z]+/.exec(text)?.[0] ?? ''] ?? REPLIES[WITHIN.exec(text)?.[1] ?? ''];
  if (byReply !== undefined && !error.code.startsWith('E')) return byReply;
  for (const [pattern, code] of SYSTEM) if (pattern.test(error.code)) return code;
  for (const [pattern, code] of MESSAGES) if (pattern.test(text)) return code;
  return 'internal';
}

/** The error that says most: clusters and Sentinels wrap it, sockets that tried several addresses collect it. */
function rootOf(thrown: unknown, depth = 0): { name: string; message: string; code: string } {
  try {
    if (typeof thrown !== 'object' || thrown === null) return { name: 'Error', message: String(thrown), code: '' };
    const error = thrown as {
      lastNodeError?: unknown;
      errors?: unknown;
      name?: unknown;
      message?: unknown;
      code?: unknown;
    };
    const inner = error.lastNodeError ?? (Array.isArray(error.errors) ? error.errors[0] : undefined);
    if (inner !== undefined && inner !== null && depth < 4) return rootOf(inner, depth + 1);
    return { name: textOf(error.name) || 'Error', message: textOf(error.message), code: textOf(error.code) };
  } catch {
    return { name: 'Error', message: 'an unreadable value was thrown', code: '' };
  }
}

/** A new error: the driver's own carries the command with its arguments, and for AUTH these are the password. */
function redacted(error: { name: string; message: string; code: string }): Error {
  const message = (error.message || error.code || 'Redis failed without a message')
    .replace(/\/\/[^/@\s]*@/g, '//***@')
    .replace(/((?:password|AUTH)\s*[=:]?\s*)(['"]?)[^\s'"]+\2/gi, (whole, word: string) =>
      /^(password|auth)\s*[=:]/i.test(word) ? `${word}***` : whole,
    )
    .slice(0, 500);
  const cause = new Error(message);
  cause.name = error.name;
  return error.code === '' ? cause : Object.assign(cause, { code: error.code });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
