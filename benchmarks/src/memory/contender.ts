/** A library that hands events to subscribers of one process. */
export interface MemoryContender {
  /** Does `publish` return a promise, which callers await? Others are called and nothing is awaited. */
  readonly awaited: boolean;
  open(subscribers: number, onEvent: (data: unknown) => void): Promise<OpenBus>;
}

export interface OpenBus {
  publish(data: unknown): unknown;
  /** Called between samples, for what piles up in a contender that would otherwise spoil the next one. */
  tidy?(): void;
}
