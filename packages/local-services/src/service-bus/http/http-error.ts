import { BrokerError, type Condition, STATUS } from '../broker/error.ts';

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
  ['amqp:not-found', 40400],
  ['com.microsoft:entity-already-exists', 40900],
]);

export const badRequest = (detail: string): HttpError => new HttpError(400, detail);
export const notFound = (detail: string): HttpError => new HttpError(404, detail);

/** Total: whatever was thrown becomes an answer. What is not known is a 500 that tells nothing of its cause. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof BrokerError) {
    const subCode = error.subCode ?? SUB_CODES.get(error.condition);
    return new HttpError(error.status, error.message, subCode === undefined ? {} : { subCode });
  }
  const condition = error instanceof Error ? (error as { condition?: unknown }).condition : undefined;
  if (typeof condition === 'string' && Object.hasOwn(STATUS, condition)) {
    // The rules room throws its own coded error, without knowing of the broker.
    return new HttpError(STATUS[condition as keyof typeof STATUS], (error as Error).message);
  }
  return new HttpError(500, 'The server was unable to process the request; please retry the operation.');
}
