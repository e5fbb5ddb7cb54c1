/** Conditions and their HTTP status, as the service answers them (AMQP error table of the request-response guide). */
export const STATUS = {
  'amqp:not-found': 404,
  'amqp:unauthorized-access': 401,
  'amqp:not-allowed': 400,
  'amqp:not-implemented': 501,
  'amqp:decode-error': 400,
  'amqp:invalid-field': 400,
  'amqp:internal-error': 500,
  'amqp:precondition-failed': 412,
  'amqp:resource-limit-exceeded': 403,
  'amqp:resource-deleted': 410,
  'amqp:link:message-size-exceeded': 403,
  'amqp:link:detach-forced': 503,
  'amqp:connection:forced': 503,
  'com.microsoft:argument-error': 400,
  'com.microsoft:argument-out-of-range': 400,
  'com.microsoft:auth-failed': 401,
  'com.microsoft:entity-already-exists': 409,
  'com.microsoft:entity-disabled': 400,
  'com.microsoft:message-lock-lost': 410,
  'com.microsoft:message-not-found': 404,
  'com.microsoft:operation-cancelled': 499,
  'com.microsoft:server-busy': 503,
  'com.microsoft:session-cannot-be-locked': 410,
  'com.microsoft:session-lock-lost': 410,
  'com.microsoft:timeout': 408,
} as const;

export type Condition = keyof typeof STATUS;

/** Something the service refuses. `message` goes to the client as the error's description, so it holds no secret. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly condition: Condition;
  /** What HTTP and `$management` answer. */
  readonly status: number;
  /** A finer code that HTTP shows as `SubCode=`: 40301, 40901, … */
  readonly subCode: number | undefined;

  constructor(condition: Condition, message: string, options?: { subCode?: number; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.condition = condition;
    this.status = STATUS[condition];
    this.subCode = options?.subCode;
  }
}
