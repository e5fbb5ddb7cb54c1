/** Options of {@link memory}. */
export interface MemoryOptions {
  /** Participants meet in the hub of the same name. @default {@link DEFAULT_HUB} */
  readonly hub?: string;
  /** Reach hubs of the same name in other worker threads (or browser tabs) too, through `BroadcastChannel`. @default false */
  readonly threads?: boolean;
  /** Hand each event on as a copy of its data, so that a handler that changes it disturbs nobody. @default false: shared */
  readonly copy?: boolean;
}

/** @default for `hub` */
export const DEFAULT_HUB = 'default';
/** Longest a publish waits for room in a slow subscriber, ms: two full subscribers that publish to each other must not wait for ever. */
export const BACK_PRESSURE_MAX_MS = 5_000;
