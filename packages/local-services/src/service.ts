/** A server on this machine, for development and tests. Bound to 127.0.0.1, and gone with the process that started it. */
export interface LocalService extends AsyncDisposable {
  /** What `connect({ url })` takes. */
  readonly url: string;
  /** Ends it and removes what it wrote. Idempotent; a service that was given rather than started is left alone. */
  stop(): Promise<void>;
}
