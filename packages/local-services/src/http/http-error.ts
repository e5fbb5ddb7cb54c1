import { BrokerError, type Condition, STATUS } from '../service-bus/broker/error.ts';

/** Something the HTTP side refuses. `detail` goes to the client, so it holds no secret. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  /** Shown in front of the detail as `SubCode=`. */
  readonly subCode: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    options: { subCode?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.status = status;
    this.subCode = options.subCode;
    this.headers = options.headers ?? {};
  }
}

/** Finer codes the service gives with some conditions. */
const SUB_CODES: ReadonlyMap<Condition, number> = new Map([
  ['amqp:not-allowed', 40000],
  ['com.microsoft:argument-error', 40000],
  ['com.microsoft:argument-out-of-range', 40000],
  ['amqp:resource-limit-exceeded', 40300],
  ['amqp:not-found', 40400],
  ['com.microsoft:entity-already-exists', 40900],
]);

export const badRequest = (detail: string): HttpError => new HttpError(400, detail);
export const notFound = (detail: string): HttpError => new HttpError(404, detail);

/** Total: whatever was thrown becomes an answer. What is not known is a 500 that tells nothing of its cause. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const condition = conditionOf(error);
  if (condition === undefined) {
    return new HttpError(500, 'The server was unable to process the request; please retry the operation.');
  }
  const subCode = (error instanceof BrokerError ? error.subCode : undefined) ?? SUB_CODES.get(condition);
  return new HttpError(STATUS[condition], (error as Error).message, subCode === undefined ? {} : { subCode });
}

/** Is it nothing that anybody means to throw? */
export const isDefect = (error: unknown): boolean => !(error instanceof HttpError) && conditionOf(error) === undefined;

/** The rules and the authority throw coded errors of their own, without knowing of the broker's. */
function conditionOf(error: unknown): Condition | undefined {
  const condition = error instanceof Error ? (error as { condition?: unknown }).condition : undefined;
  return typeof condition === 'string' && Object.hasOwn(STATUS, condition) ? (condition as Condition) : undefined;
}
