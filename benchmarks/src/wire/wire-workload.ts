export interface Scenario {
  readonly name: string;
  /** Loops that run side by side. */
  readonly loops: number;
  /** Publishes that each loop has under way: it awaits them all before the next. */
  readonly batch: number;
  readonly messages: number;
  /** Messages sent before, not measured. */
  readonly warmUp: number;
}

export interface WireWorkload {
  readonly payloadBytes: number;
  readonly rounds: number;
  readonly runs: number;
  readonly scenarios: readonly Scenario[];
  readonly latency: {
    readonly rate: number;
    /** Of one contender in one turn. */
    readonly windowS: number;
    /** Turns that do not count. */
    readonly warmUpTurns: number;
    readonly turns: number;
  };
}

/** What the parent tells a side, and what it answers. */
export type Order =
  | { readonly do: 'run'; readonly scenario: Scenario; readonly payloadBytes: number }
  | { readonly do: 'await'; readonly messages: number };

export interface SideReport {
  /** Monotonic, machine-wide: the publisher's start, or the subscriber's last event. */
  readonly atMs: number;
  readonly cpuUs: number;
  readonly calibrationUs: number;
}
