import { type ErrorCode, PolycastError } from '@polycast/core/adapter';

/** What was going on: while opening, a lost connection means that there never was one. */
export type Phase = 'open' | 'use';

/** `code` of a `ServiceBusError`. */
const SERVICE_BUS: Readonly<Record<string, ErrorCode>> = {
  MessageSizeExceeded: 'payload-too-large',
  MessagingEntityNotFound: 'not-found',
  MessageNotFound: 'not-found',
  MessagingEntityDisabled: 'throttled',
  MessagingEntityAlreadyExists: 'invalid-configuration',
  MessageLockLost: 'lock-lost',
  SessionLockLost: 'lock-lost',
  SessionCannotBeLocked: 'lock-lost',
  QuotaExceeded: 'storage-full',
  ServiceBusy: 'throttled',
  ServiceTimeout: 'timeout',
  ServiceCommunicationProblem: 'disconnected',
  UnauthorizedAccess: 'unauthorized',
};

/** `code` or `name` of a `MessagingError` of core-amqp, and conditions of AMQP itself. */
const MESSAGING: Readonly<Record<string, ErrorCode>> = {
  'amqp:unauthorized-access': 'unauthorized',
  'com.microsoft:auth-failed': 'unauthorized',
  'com.microsoft:server-busy': 'throttled',
  'com.microsoft:timeout': 'timeout',
  'com.microsoft:message-lock-lost': 'lock-lost',
  'com.microsoft:session-lock-lost': 'lock-lost',
  'com.microsoft:session-cannot-be-locked': 'lock-lost',
  'com.microsoft:message-not-found': 'not-found',
  'com.microsoft:entity-disabled': 'throttled',
  'com.microsoft:argument-error': 'invalid-configuration',
  'com.microsoft:argument-out-of-range': 'invalid-configuration',
  'amqp:not-found': 'not-found',
  'amqp:not-allowed': 'invalid-configuration',
  'amqp:not-implemented': 'unsupported',
  'amqp:resource-limit-exceeded': 'storage-full',
  'amqp:link:message-size-exceeded': 'payload-too-large',
  'amqp:link:detach-forced': 'disconnected',
  'amqp:link:stolen': 'disconnected',
  'amqp:connection:forced': 'disconnected',
  'amqp:connection:framing-error': 'protocol-mismatch',
  'amqp:decode-error': 'protocol-mismatch',
  'amqp:session:window-violation': 'disconnected',
  'amqp:internal-error': 'disconnected',
  DetachForcedError: 'disconnected',
  LinkStolenError: 'disconnected',
  ConnectionForcedError: 'disconnected',
  ConnectionLostError: 'disconnected',
  SenderBusyError: 'throttled',
  ServerBusyError: 'throttled',
  SenderNotReadyError: 'disconnected',
  SenderClosedError: 'disconnected',
  ServiceCommunicationError: 'disconnected',
  ServiceUnavailableError: 'timeout',
  OperationTimeoutError: 'timeout',
  InsufficientCreditError: 'throttled',
  UnauthorizedError: 'unauthorized',
  InvalidOperationError: 'invalid-configuration',
  MessagingEntityNotFoundError: 'not-found',
  MessagingEntityDisabledError: 'throttled',
  ResourceNotFoundError: 'not-found',
  QuotaExceededError: 'storage-full',
  MessageTooLargeError: 'payload-too-large',
  MessageLockLostError: 'lock-lost',
  SessionLockLostError: 'lock-lost',
  NotImplementedError: 'unsupported',
  ArgumentError: 'invalid-configuration',
  ArgumentOutOfRangeError: 'invalid-configuration',
  FramingError: 'protocol-mismatch',
  DecodeError: 'protocol-mismatch',
  SystemError: 'disconnected',
  AbortError: 'disconnected',
  TimeoutError: 'timeout',
  CredentialUnavailableError: 'unauthorized',
  AuthenticationError: 'unauthorized',
  AuthenticationRequiredError: 'unauthorized',
};

/** Answers of the administration API. */
const STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-configuration',
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'not-found',
  408: 'timeout',
  409: 'throttled',
  410: 'not-found',
  413: 'payload-too-large',
  429: 'throttled',
  500: 'disconnected',
  502: 'disconnected',
  503: 'throttled',
  504: 'timeout',
};

/** Of Node's sockets and TLS. */
const SYSTEM: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^(EPROTO|ERR_SSL_|HPE_)/, 'protocol-mismatch'],
  [/CERT|^UNABLE_TO|^SELF_SIGNED|^DEPTH_ZERO|^ERR_TLS/, 'protocol-mismatch'],
  [/^(ECONN|ENOTFOUND|EAI_|EHOST|ENET|ETIMEDOUT|EPIPE|EADDR|EACCES|ENOENT|ESOCKET|REQUEST_SEND_ERROR)/, 'disconnected'],
];

/** What only words tell; the first that fits counts. */
const MESSAGES: readonly (readonly [RegExp, ErrorCode])[] = [
  [
    /Unauthorized|InvalidSignature|MalformedToken|ExpiredToken|InvalidIssuer|claim(s|\(s\)) (is|are) required|put.?token/i,
    'unauthorized',
  ],
  [/\b(SubCode=40400|could not be found|does not exist|not found)\b/i, 'not-found'],
  [/already.*settled|lock (supplied|has expired|is lost)|has been lost/i, 'lock-lost'],
  [/protocol header|Invalid protocol|PROTOCOL|wrong version number|not a valid AMQP/i, 'protocol-mismatch'],
  [/timed? ?out|timeout|within allocated time/i, 'timeout'],
  [/ECONN|socket|connection|link|receiver|sender|disconnect|aborted|^Failed to connect/i, 'disconnected'],
];

/** Any thrown value as a PolycastError, without secrets. Total: it never throws. */
export function mapError(thrown: unknown, phase: Phase = 'use'): PolycastError {
  if (thrown instanceof PolycastError) return thrown;
  const found = read(thrown, 0);
  const code = codeOf(found);
  const cause = redacted(found);
  const { retryAfterMs } = found;
  if (phase === 'open' && (code === 'disconnected' || code === 'timeout')) {
    return new PolycastError('unreachable', cause.message, { cause, retryAfterMs });
  }
  return new PolycastError(code, cause.message, { cause, retryAfterMs });
}

interface Found {
  readonly name: string;
  readonly message: string;
  /** `code` or AMQP `condition`. */
  readonly code: string;
  readonly status: number;
  /** How long the service asks to be left alone. */
  readonly retryAfterMs: number | undefined;
}

function codeOf({ name, message, code, status }: Found): ErrorCode {
  // A 403 of the administration API tells missing rights from a full namespace by its SubCode.
  if (status === 403 && /quota|SubCode=4030[02]\b|maximum number of|size has exceeded/i.test(message))
    return 'storage-full';
  if (code === 'QuotaExceeded' && /message.{0,40}(too large|size.{0,30}exceed)/i.test(message))
    return 'payload-too-large';
  // Only the administration API has a status, and it says more than the code that the SDK makes of it.
  if (Object.hasOwn(STATUS, status)) return STATUS[status] as ErrorCode;
  if (Object.hasOwn(SERVICE_BUS, code)) return SERVICE_BUS[code] as ErrorCode;
  if (Object.hasOwn(MESSAGING, code)) return MESSAGING[code] as ErrorCode;
  for (const [pattern, mapped] of SYSTEM) if (pattern.test(code)) return mapped;
  // A ServiceBusError of code GeneralError begins with the name of what it was made of.
  const general = /^(\w+): /.exec(message)?.[1] ?? '';
  if (Object.hasOwn(MESSAGING, general)) return MESSAGING[general] as ErrorCode;
  for (const [pattern, mapped] of SYSTEM) if (pattern.test(general)) return mapped;
  if (Object.hasOwn(MESSAGING, name)) return MESSAGING[name] as ErrorCode;
  for (const [pattern, mapped] of MESSAGES) if (pattern.test(message)) return mapped;
  return 'internal';
}

/** The error that says most: attempts are collected, and sockets wrap what failed. */
function read(thrown: unknown, depth: number): Found {
  try {
    if (typeof thrown !== 'object' || thrown === null)
      return { name: 'Error', message: text(thrown), code: '', status: 0, retryAfterMs: undefined };
    const error = thrown as Record<string, unknown>;
    const inner = Array.isArray(error.errors) && error.errors.length > 0 ? error.errors.at(-1) : undefined;
    if (inner !== undefined && depth < 4) return read(inner, depth + 1);
    const code = text(error.code) || text(error.condition);
    const message = text(error.message) || text(error.description);
    // The administration client says `code: 'MessageEntityNotFoundError'` beside the status.
    const found = {
      name: text(error.name) || 'Error',
      message,
      code,
      status: Number(error.statusCode) || 0,
      retryAfterMs: retryAfterMs(message, error.response),
    };
    const beneath = error.innerError ?? error.cause;
    if (found.message === '' && found.code === '' && beneath !== undefined && depth < 4)
      return read(beneath, depth + 1);
    return found;
  } catch {
    return { name: 'Error', message: 'an unreadable value was thrown', code: '', status: 0, retryAfterMs: undefined };
  }
}

/**
 * Over AMQP the service says it in words only: `Error code : 50009. Please wait 2 seconds and try again.` The administration API sends
 * the header `Retry-After`, in seconds.
 */
function retryAfterMs(message: string, response: unknown): number | undefined {
  const { headers } = (response ?? {}) as { headers?: { get?(name: string): unknown } };
  const seconds = headers?.get?.('retry-after') ?? /\bwait (\d{1,5}) seconds?\b/i.exec(message)?.[1];
  return typeof seconds === 'string' && /^\d{1,5}$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}

/** What a peer says, or does not, that speaks TLS where we do not, or the other way round. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /wrong version number|before secure TLS connection|packet length too long|ssl3_get_record/i,
    'the port does not seem to speak TLS; for an emulator, add UseDevelopmentEmulator=true',
  ],
  [
    /Invalid protocol header for AMQP: 15030|HPE_INVALID|Expected HTTP\//i,
    'the port does not seem to speak plain AMQP or HTTP; if it speaks TLS, omit UseDevelopmentEmulator',
  ],
];

function explained(message: string, code: string): string {
  const hint = HINTS.find(([pattern]) => pattern.test(message) || pattern.test(code))?.[1];
  return hint === undefined ? message : `${message} (${hint})`;
}

/** A new error: the SDK's own carry requests, with their tokens. */
function redacted({ name, message, code }: Found): Error {
  const cause = new Error(explained(redactText(message || code || 'Service Bus failed without a message'), code));
  cause.name = name;
  return code === '' ? cause : Object.assign(cause, { code });
}

const MAX_MESSAGE_LENGTH = 500;

/** Without keys, signatures and tokens. */
export function redactText(text: string): string {
  return text
    .replace(
      /(SharedAccessKey|SharedAccessSignature|sig|Authorization|password)(\s*[=:]\s*)(SharedAccessSignature\s+\S+|Bearer\s+\S+|[^\s;&,"']+)/gi,
      '$1$2***',
    )
    .replace(/\/\/[^/@\s]*@/g, '//***@')
    .replace(/\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*/g, '***')
    .slice(0, MAX_MESSAGE_LENGTH);
}

function text(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : '';
}
