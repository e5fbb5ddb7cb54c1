/** A server on this machine, for development and tests. Bound to 127.0.0.1, and gone with the process that started it. */
export interface LocalService extends AsyncDisposable {
  /** What `connect({ url })` takes. */
  readonly url: string;
  /** Ends it and removes what it wrote. Idempotent; a service that was given rather than started is left alone. */
  stop(): Promise<void>;
}

/** A service that can be broken, to see how clients bear it. Each resolves when it is done. */
export interface BreakableService extends LocalService {
  readonly port: number;
  /** Ends every connection as the service does when it is stopped in good order, and starts it again on the same port. What it keeps stays. */
  restart(): Promise<void>;
  /** Every connection breaks without a word, and nobody listens until `start`. */
  kill(): Promise<void>;
  /** After `kill`: on the same port. Harmless while it runs. */
  start(): Promise<void>;
  /** Connections stay open, new ones are made, and nothing is answered until `thaw`. */
  freeze(): Promise<void>;
  /** Undoes `freeze`: what arrived meanwhile is answered. Harmless if nothing is frozen. */
  thaw(): Promise<void>;
  /** Breaks every open connection once; new ones are welcome. */
  cut(): Promise<void>;
}
