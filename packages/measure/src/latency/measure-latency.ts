import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { PolycastError, type Transport } from '@polycast/core';
import { type LinkShape, type ProxyHandle, startProxy } from '@polycast/local-services/proxy';
import { builtFile } from './built-file.ts';
import type { DriverTarget, LatencyDriver } from './driver.ts';
import type { LatencyResult } from './latency-result.ts';
import { type Plan, resultOf } from './make-result.ts';
import { polycastDriver, transportOf, driver as urlDriver } from './polycast-driver.ts';
import { type ProgressListener, ProgressReporter } from './progress.ts';
import { PublisherRole, type PublishReport } from './publisher.ts';
import { localRole, type RoleCaller, remoteRole } from './role.ts';
import { makeStamper } from './stamp.ts';
import { type SubscribeReport, SubscriberRole } from './subscriber.ts';

export const DEFAULT_RATE = 1_000;
export const DEFAULT_DURATION_S = 10;
export const DEFAULT_PAYLOAD_BYTES = 200;
/** @default for `quietMs` */
export const DEFAULT_QUIET_MS = 2_000;
/** @default for `inFlight` */
export const DEFAULT_IN_FLIGHT = 256;
/** Maximum number of subscribers of one measurement. */
export const MAX_SUBSCRIBERS = 10_000;

export interface LatencyOptions {
  /** What to measure: a transport's URL. One within the process, such as `memory:`, is measured in this one. */
  readonly url: string;
  /** Makes the transport instead of the URL, which then only labels the result. Publisher and subscribers share this process. */
  readonly transport?: () => Transport;
  /** Something else to measure: an object (shared process), or the URL of a module that exports `driver` (separate ones). */
  readonly driver?: LatencyDriver | URL;
  /** Module that exports `fromUrl`, where the URL's package cannot be found by name. An absolute `file:` URL. */
  readonly transportModule?: string;
  /** Events a second, sent at fixed intervals whatever becomes of the earlier ones. @default {@link DEFAULT_RATE} */
  readonly rate?: number;
  /** @default {@link DEFAULT_DURATION_S} */
  readonly durationS?: number;
  /** Sent at the same rate before, not measured. @default a quarter of `durationS`, at most 3 */
  readonly warmUpS?: number;
  /** Length of the data's JSON text; at least 64. @default {@link DEFAULT_PAYLOAD_BYTES} */
  readonly payloadBytes?: number;
  /** Each gets every event. @default 1 */
  readonly subscribers?: number;
  /** Processes they are spread over. @default one a core, less the publisher's, at most one a subscriber */
  readonly subscriberProcesses?: number;
  /** Leads the traffic through a proxy that behaves like this link. */
  readonly shaped?: LinkShape;
  /** Length of the closed loop that finds `throughputPerSecond`. 0 leaves it out. @default 2, at most `durationS` */
  readonly throughputS?: number;
  /** Publishes kept under way in the closed loop. @default {@link DEFAULT_IN_FLIGHT} */
  readonly inFlight?: number;
  /** What has not come when nothing came for so long is lost. @default {@link DEFAULT_QUIET_MS} */
  readonly quietMs?: number;
  readonly onProgress?: ProgressListener;
  /** Ends the measurement, which rejects with `aborted`. */
  readonly abortSignal?: AbortSignal;
}

/** Publisher and subscribers, connected and ready: measures as often as asked. */
export interface LatencySession {
  /**
   * Measures in an open loop at a fixed rate, then in a closed loop for the throughput, as the options say.
   * One at a time. @throws PolycastError `aborted`
   */
  measure(): Promise<LatencyResult>;
  /** Ends the processes. Never rejects. */
  close(): Promise<void>;
}

/**
 * Measures in an open loop at a fixed rate, then in a closed loop for the throughput.
 * @throws TypeError for numbers without meaning. @throws PolycastError what connecting throws, `unsupported` to shape what has no
 *   host, `aborted`.
 */
export async function measureLatency(options: LatencyOptions): Promise<LatencyResult> {
  const session = await openLatency(options);
  try {
    return await session.measure();
  } finally {
    await session.close();
  }
}

/**
 * Connects, to be measured several times: with two sessions in turns, what the machine does meanwhile falls on both alike, and
 * code is compiled when it counts.
 * @throws as {@link measureLatency}
 */
export async function openLatency(options: LatencyOptions): Promise<LatencySession> {
  if (options.abortSignal?.aborted) throw abortedBy(options.abortSignal);
  const plan = planOf(options, await sharesProcess(options));
  const proxy = plan.link === 'shaped' ? await shapedLink(options) : undefined;
  const target: DriverTarget = {
    url: proxy?.url ?? options.url,
    topic: `bench-${randomUUID()}`,
    transportModule: options.transportModule,
  };
  const progress = new ProgressReporter(options.onProgress);
  const sides = startSides(plan, options);
  const aborted = whenAborted(options.abortSignal);
  aborted.promise.catch(() => {});
  const close = async () => {
    aborted.forget();
    progress.stop();
    await Promise.all([sides.publisher, ...sides.subscribers].map((side) => side.stop()));
    await proxy?.stop();
  };
  try {
    await Promise.race([connectSides(plan, target, sides, progress), aborted.promise]);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  let phase = 0;
  return {
    measure: () => {
      phase += 2;
      return Promise.race([run(plan, options, phase, sides, progress), aborted.promise]);
    },
    close,
  };
}

interface Sides {
  readonly publisher: RoleCaller<PublisherRole>;
  readonly subscribers: readonly RoleCaller<SubscriberRole>[];
}

async function connectSides(
  plan: Plan,
  target: DriverTarget,
  { publisher, subscribers }: Sides,
  progress: ProgressReporter,
): Promise<void> {
  progress.enter('connecting', 0);
  await Promise.all(
    subscribers.map((side, index) =>
      side.call('open', { target, indexes: indexesOf(index, plan.subscribers, subscribers.length) }),
    ),
  );
  await publisher.call('open', target);
}

/** @param phase of the open loop; the closed loop has the next number */
async function run(
  plan: Plan,
  options: LatencyOptions,
  phase: number,
  { publisher, subscribers }: Sides,
  progress: ProgressReporter,
): Promise<LatencyResult> {
  const all = <Result>(call: (side: RoleCaller<SubscriberRole>) => Promise<Result>) =>
    Promise.all(subscribers.map(call));
  const { payloadBytes, quietMs } = plan;
  const warmUp = Math.round(plan.rate * plan.warmUpS);
  const count = warmUp + Math.max(1, Math.round(plan.rate * plan.durationS));
  await all((side) => side.call('begin', { phase, warmUp, lastOf: true }));
  progress.enter('measuring', plan.warmUpS + plan.durationS);
  const open = await publisher.call('openLoop', {
    phase,
    ratePerSecond: plan.rate,
    count,
    warmUp,
    payloadBytes,
  });
  progress.enter('draining', 0);
  const reports = await all((side) => side.call('settle', { count, quietMs, failed: open.failed }));

  let closed: { publish: PublishReport; reports: readonly SubscribeReport[] } | undefined;
  if (plan.throughputS > 0) {
    await all((side) => side.call('begin', { phase: phase + 1, warmUp: 0, lastOf: false }));
    progress.enter('throughput', plan.throughputS);
    const durationMs = plan.throughputS * 1000;
    const publish = await publisher.call('closedLoop', {
      phase: phase + 1,
      inFlight: plan.inFlight,
      durationMs,
      payloadBytes,
    });
    progress.enter('draining', 0);
    const settled = await all((side) => side.call('settle', { count: publish.count, quietMs, failed: publish.failed }));
    closed = { publish, reports: settled };
  }
  return resultOf(plan, options, warmUp, open, reports, closed);
}

/** Is what is measured within this process? Other processes would not reach it, and everything would count as lost. */
async function sharesProcess({ url, transport, transportModule, driver }: LatencyOptions): Promise<boolean> {
  if (transport !== undefined) return true;
  if (driver !== undefined) return !(driver instanceof URL);
  return (await transportOf({ url, transportModule })).manifest.via === 'process';
}

function planOf(options: LatencyOptions, shared: boolean): Plan {
  const durationS = positive('durationS', options.durationS ?? DEFAULT_DURATION_S);
  const subscribers = positive('subscribers', options.subscribers ?? 1);
  if (!Number.isInteger(subscribers) || subscribers > MAX_SUBSCRIBERS) {
    throw new TypeError(`subscribers must be an integer of at most ${MAX_SUBSCRIBERS}, not ${subscribers}`);
  }
  const payloadBytes = options.payloadBytes ?? DEFAULT_PAYLOAD_BYTES;
  makeStamper(payloadBytes);
  const { hostname, protocol } = new URL(options.url);
  if (shared && options.shaped !== undefined) {
    throw new PolycastError('unsupported', `${protocol} is measured within one process: there is no link to shape`);
  }
  const processes = options.subscriberProcesses ?? Math.max(1, availableParallelism() - 1);
  return {
    rate: positive('rate', options.rate ?? DEFAULT_RATE),
    durationS,
    warmUpS: options.warmUpS === undefined ? Math.min(3, durationS / 4) : atLeastZero('warmUpS', options.warmUpS),
    payloadBytes,
    subscribers,
    subscriberProcesses: Math.min(subscribers, positive('subscriberProcesses', processes)),
    throughputS:
      options.throughputS === undefined ? Math.min(2, durationS) : atLeastZero('throughputS', options.throughputS),
    inFlight: positive('inFlight', options.inFlight ?? DEFAULT_IN_FLIGHT),
    quietMs: positive('quietMs', options.quietMs ?? DEFAULT_QUIET_MS),
    processes: shared ? 'shared' : 'separate',
    link: shared
      ? 'in-process'
      : options.shaped !== undefined
        ? 'shaped'
        : isLoopback(hostname)
          ? 'loopback'
          : 'network',
  };
}

function startSides(plan: Plan, options: LatencyOptions): Sides {
  if (plan.processes === 'shared') {
    const driver = sharedDriverOf(options);
    return { publisher: localRole(new PublisherRole(driver)), subscribers: [localRole(new SubscriberRole(driver))] };
  }
  const module = options.driver instanceof URL ? options.driver : builtFile('polycast-driver');
  return {
    publisher: remoteRole<PublisherRole>('publisher', module.href),
    subscribers: Array.from({ length: Math.ceil(plan.subscriberProcesses) }, () =>
      remoteRole<SubscriberRole>('subscriber', module.href),
    ),
  };
}

function sharedDriverOf(options: LatencyOptions): LatencyDriver {
  if (options.driver !== undefined && !(options.driver instanceof URL)) return options.driver;
  return options.transport === undefined ? urlDriver : polycastDriver(options.transport);
}

/** Every so-many-th subscriber, so that processes hold about as many each. */
function indexesOf(process: number, subscribers: number, processes: number): number[] {
  return Array.from({ length: subscribers }, (_, index) => index).filter((index) => index % processes === process);
}

function whenAborted(signal: AbortSignal | undefined): { promise: Promise<never>; forget(): void } {
  let onAbort = () => {};
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortedBy(signal!));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  return { promise, forget: () => signal?.removeEventListener('abort', onAbort) };
}

function abortedBy(signal: AbortSignal): PolycastError {
  return new PolycastError('aborted', 'the measurement was ended', { cause: signal.reason });
}

function isLoopback(hostname: string): boolean {
  return hostname === '' || hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

function positive(name: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw new TypeError(`${name} must be a finite number above 0, not ${value}`);
}

function atLeastZero(name: string, value: number): number {
  if (value >= 0 && Number.isFinite(value)) return value;
  throw new TypeError(`${name} must be a finite number of at least 0, not ${value}`);
}

async function shapedLink({ url, shaped }: LatencyOptions): Promise<ProxyHandle> {
  const { hostname, protocol } = new URL(url);
  if (hostname !== '') return startProxy({ target: url, ...shaped });
  throw new PolycastError(
    'invalid-configuration',
    `a link can only be shaped to a URL with host and port, not ${protocol}`,
  );
}
