/** Somebody may not do what they ask for. The message goes to the client: it holds no key and no signature. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  /** 401 from this room; those who know entities may say 404. */
  readonly status: 401 | 403 | 404;

  constructor(message: string, options?: { status?: 401 | 403 | 404; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.status = options?.status ?? 401;
  }
}
