import { describeError } from './describe-error.ts';

/**
 * Every code a {@link PolycastError} can carry, with whether trying the same call again can help.
 * The set is closed: a new code is a minor release, a removed or re-purposed one a major release.
 */
export const ERROR_CODES = {
  /** An address is not `*`, `role:<name>` or `instance:<name>`. */
  'invalid-address': { retryable: false },
  /** A topic name breaks the naming rule (see `checkTopic`). */
  'invalid-topic': { retryable: false },
  /** An event breaks CloudEvents 1.0: a missing `type`, a bad attribute name or value, a reserved attribute. */
  'invalid-event': { retryable: false },
  /** `data` cannot be written as JSON: a cycle, a BigInt, a function, nesting deeper than the limit. */
  'invalid-payload': { retryable: false },
  /** `data` does not match the schema of the event's type. */
  'schema-mismatch': { retryable: false },
  /** A filter is invalid. */
  'invalid-filter': { retryable: false },
  /** An option, a URL or a configuration file is invalid. */
  'invalid-configuration': { retryable: false },
  /** A URL scheme names no known transport. */
  'unknown-transport': { retryable: false },
  /** The transport's package is not installed. */
  'transport-not-installed': { retryable: false },
  /** The transport does not support the requested capability. The message names transports that do. */
  unsupported: { retryable: false },
  /** The encoded event is larger than the transport accepts. Nothing was sent. */
  'payload-too-large': { retryable: false },
  /** The server rejected the credentials, or they do not grant the required rights. */
  unauthorized: { retryable: false },
  /** Another broadcaster already uses this instance id on this topic. */
  'duplicate-instance': { retryable: false },
  /** No connection could be made in time. */
  unreachable: { retryable: true },
  /** A server answers at that address, but it does not speak the transport's protocol. */
  'protocol-mismatch': { retryable: false },
  /** The connection was lost during the call. Its outcome is unknown. */
  disconnected: { retryable: true },
  /** No answer in time. The outcome is unknown. */
  timeout: { retryable: true },
  /** The server asks for fewer requests. */
  throttled: { retryable: true },
  /** The server has no memory or disk space left to store the event. */
  'storage-full': { retryable: true },
  /** A limit of this process is reached: too many publishes wait for the transport. */
  overloaded: { retryable: true },
  /** A resource that the call needs on the server does not exist (a stream, a consumer group, an entity). */
  'not-found': { retryable: false },
  /** A delivery was settled after its lock had passed to another consumer. */
  'lock-lost': { retryable: false },
  /** A received message is not a valid event, or exceeds a limit of the decoder. */
  'corrupt-event': { retryable: false },
  /** The broadcaster or subscription is closed. */
  closed: { retryable: false },
  /** The caller's `AbortSignal` ended the call. */
  aborted: { retryable: false },
  /** None of the above: a defect in Polycast, or an unknown reply of the service. See the cause. */
  internal: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * The error class of Polycast. Programming errors (such as a handler that is not a function) are `TypeError` instead.
 * The message starts with the code and never contains a secret; the error of the driver or server is in `cause`.
 */
export class PolycastError extends Error {
  override readonly name = 'PolycastError';
  readonly code: ErrorCode;
  /**
   * The back-off that the service asks for, ms from its answer; undefined if there is none. The publish queue and every retry wait at
   * least this long. It also applies to errors that a handler throws.
   */
  declare readonly retryAfterMs: number | undefined;

  /** @param options.retryAfterMs anything but a finite number of at least 0 is ignored, since it comes off a wire */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; retryAfterMs?: number | undefined }) {
    super(`${code}: ${message}`, options);
    this.code = code;
    const ms = options?.retryAfterMs;
    if (Number.isFinite(ms) && (ms as number) >= 0) this.retryAfterMs = ms;
  }

  /** Can the same call succeed later? Derived from the code alone. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  /** Any thrown value as a PolycastError: itself if it is one, else `internal` with the value as cause. */
  static from(thrown: unknown, code: ErrorCode = 'internal'): PolycastError {
    if (isPolycastError(thrown)) return thrown;
    return new PolycastError(code, describeError(thrown), { cause: thrown });
  }
}

/** Like `instanceof`, but also false for a revoked proxy and for an unknown code. */
export function isPolycastError(thrown: unknown): thrown is PolycastError {
  return codeOf(thrown) !== undefined;
}

/** The code of a PolycastError; undefined for anything else, however it may pretend. Never throws. */
export function codeOf(thrown: unknown): ErrorCode | undefined {
  try {
    if (!(thrown instanceof PolycastError)) return undefined;
    const code: unknown = thrown.code;
    return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : undefined;
  } catch {
    return undefined;
  }
}

/** The back-off that the service asks for, ms; 0 if there is none. Never throws. */
export function retryAfterMsOf(thrown: unknown): number {
  try {
    return (isPolycastError(thrown) && thrown.retryAfterMs) || 0;
  } catch {
    return 0;
  }
}
