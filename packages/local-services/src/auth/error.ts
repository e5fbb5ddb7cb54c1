/** The client lacks the right for a request. The message is sent to the client: it contains no key and no signature. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  /** 401 from this room; those who know entities may say 404. */
  readonly status: 401 | 403 | 404;

  constructor(message: string, options?: { status?: 401 | 403 | 404; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.status = options?.status ?? 401;
  }
}
