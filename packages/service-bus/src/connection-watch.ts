import type { PolycastError } from '@polycast/core/adapter';

/** What is told of the connection beneath a client. */
export interface ConnectionEvents {
  /** @param error what was said, if anything */
  onDown(error: unknown): void;
  onUp(): void;
  /** The SDK threw where nobody could catch it. The connection is ended. */
  onThrown(thrown: unknown): void;
  /** Ends the socket of a connection over WebSockets. */
  terminate(): void;
}

/** Knows whether a connection of the SDK is there. The SDK itself reports neither its loss nor its return. */
export interface ConnectionWatch {
  /** The connection was opened, or another topic is to be used. @param topic one whose links may be opened to see whether the service answers */
  start?(topic: string): void;
  /** A call failed as those do whose connection is lost. */
  suspect?(error: PolycastError): void;
  /** Ends a connection that does not answer, as far as that is possible: the SDK makes another. */
  drop(): void;
  /** Nothing is told any more. */
  end(): void;
  /** After the client was closed: nobody waits for anything any more. */
  release(): void;
}
