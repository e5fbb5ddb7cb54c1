/** Options of {@link memory}. Invalid values are rejected with `invalid-configuration`. */
export interface MemoryOptions {
  /** Name of the hub: participants of the same hub and topic exchange events. @default {@link DEFAULT_HUB} */
  readonly hub?: string;
  /** Also connect to hubs of the same name in other worker threads or browser tabs, through `BroadcastChannel`. @default false */
  readonly threads?: boolean;
  /** Deliver a copy of the data to each subscriber, so that a handler may change it. @default false: subscribers share the data */
  readonly copy?: boolean;
}

/** @default for `hub` */
export const DEFAULT_HUB = 'default';
/** Maximum time a publish waits for a slow subscriber, ms: two full subscribers that publish to each other must not wait for ever. */
export const BACK_PRESSURE_MAX_MS = 5_000;
