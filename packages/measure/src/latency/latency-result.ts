import type { LinkShape } from '@polycast/local-services/proxy';
import type { CurvePoint, Quantiles } from './distribution.ts';
import type { Machine } from './machine.ts';

/**
 * - `in-process`: publisher and subscribers share a process, nothing crosses a wire.
 * - `loopback`: separate processes and a server on the same machine; no real network is like it.
 * - `shaped`: loopback through a proxy that delays, loses and throttles as `shape` says.
 * - `network`: the server is elsewhere; what lies between is not known.
 */
export type LinkLabel = 'in-process' | 'loopback' | 'shaped' | 'network';

export interface LatencyResult {
  /** From calling publish until it resolved. */
  readonly publishMs: Quantiles;
  /** From the intended time until publish was called: how far the publisher fell behind its rate. */
  readonly publishDelayMs: Quantiles;
  /** From the intended time until a subscriber's handler ran; every delivery of every subscriber counts. */
  readonly endToEndMs: Quantiles;
  /** The same from the call of publish: without `publishDelayMs`. */
  readonly fromPublishMs: Quantiles;
  /** From the intended time until the last of the subscribers had it; events that one of them missed are left out. */
  readonly lastOfNMs: Quantiles;
  /** Events measured (warm-up excluded), refused ones included. */
  readonly sent: number;
  /** Of those, how many the transport refused. */
  readonly failed: number;
  /** Deliveries over all subscribers, duplicates included: `(sent - failed) × subscribers - lost + duplicated`, but for refused events that came all the same. */
  readonly received: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Events a second that each subscriber got in the closed loop; 0 if it was left out. */
  readonly throughputPerSecond: number;
  readonly throughput: ThroughputResult | undefined;
  /** The distributions for charts. */
  readonly curves: Readonly<
    Record<'publishMs' | 'publishDelayMs' | 'endToEndMs' | 'fromPublishMs' | 'lastOfNMs', readonly CurvePoint[]>
  >;
  /** On a shaped link: median times in round trips of the link's fixed delay. What a transport costs on any network. */
  readonly roundTrips: { readonly publish: number; readonly endToEnd: number } | undefined;
  /** What the first refused publish said. */
  readonly firstError: string | undefined;
  readonly setting: LatencySetting;
}

export interface ThroughputResult {
  /** Publishes kept under way. */
  readonly inFlight: number;
  readonly durationS: number;
  readonly sent: number;
  readonly failed: number;
  readonly lost: number;
}

/** What was asked for and where it ran. */
export interface LatencySetting {
  /** Without user and password. */
  readonly url: string;
  readonly ratePerSecond: number;
  readonly durationS: number;
  readonly warmUpS: number;
  readonly payloadBytes: number;
  readonly subscribers: number;
  readonly processes: 'separate' | 'shared';
  readonly link: LinkLabel;
  readonly shape: LinkShape | undefined;
  readonly machine: Machine;
  readonly node: string;
  /** RFC 3339. */
  readonly measuredAt: string;
}
