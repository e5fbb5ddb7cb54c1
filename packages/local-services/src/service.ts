/** A local server for development and tests. Bound to 127.0.0.1; it ends with the process that started it. */
export interface LocalService extends AsyncDisposable {
  /** The URL for `connect({ url })`. */
  readonly url: string;
  /** Stops the server and removes its files. Idempotent; a server that was not started here is left running. */
  stop(): Promise<void>;
}

/** A service with faults, to test clients. Each method resolves when the fault is in effect. */
export interface BreakableService extends LocalService {
  readonly port: number;
  /** Closes every connection as a clean stop does, and starts the service again on the same port. Stored data is kept. */
  restart(): Promise<void>;
  /** Every connection breaks without notice, and the port is closed until `start`. */
  kill(): Promise<void>;
  /** Starts the service after `kill`, on the same port. No effect while it runs. */
  start(): Promise<void>;
  /** Connections stay open, new ones are accepted, and nothing is answered until `thaw`. */
  freeze(): Promise<void>;
  /** Ends `freeze`: requests that arrived meanwhile are answered. No effect if the service is not frozen. */
  thaw(): Promise<void>;
  /** Breaks every open connection once; new ones are accepted. */
  cut(): Promise<void>;
}
