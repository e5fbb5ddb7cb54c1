/** Something an HTTP side refuses. `message` goes to the client, so it holds no secret. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  /** The service's own code, where it has a finer one than the status. */
  readonly code: number | string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    options: { code?: number | string; headers?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = options.code;
    this.headers = options.headers ?? {};
  }
}

export const badRequest = (message: string): HttpError => new HttpError(400, message);
export const notFound = (message: string): HttpError => new HttpError(404, message);
