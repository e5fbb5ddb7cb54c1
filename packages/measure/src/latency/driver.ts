/** Where a driver connects to. Plain data: it crosses process boundaries. */
export interface DriverTarget {
  readonly url: string;
  /** Unique to the measurement. */
  readonly topic: string;
  /** Module that exports `fromUrl`, where the URL's package cannot be found by name. An absolute `file:` URL. */
  readonly transportModule?: string | undefined;
}

/**
 * What is measured, as the harness sees it: the broadcaster of a transport, or any other library to compare with.
 * A module that exports `driver` can be measured in processes of its own.
 */
export interface LatencyDriver {
  openPublisher(target: DriverTarget): Promise<DriverPublisher>;
  /** Listens once it resolves. @param index tells subscribers apart; each gets every payload */
  openSubscriber(target: DriverTarget, index: number, onPayload: (payload: unknown) => void): Promise<DriverEnd>;
}

export interface DriverPublisher extends DriverEnd {
  /** Publishes JSON data. Resolves (or returns nothing) when it is taken; rejects when it is not. */
  publish(payload: unknown): Promise<unknown> | undefined;
}

export interface DriverEnd {
  close(): Promise<void>;
}
