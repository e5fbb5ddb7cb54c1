import type { Adapters } from '../configuration/adapters.ts';
import { checkTopic } from '../contract/address.ts';
import { aboveZero, type OptionNames, optionsOf } from '../contract/checked-option.ts';
import { type Broadcaster, DEFAULT_TTL_MS, type EventMap, type RetryOptions } from '../contract/contract.ts';
import { PolycastError } from '../contract/error.ts';
import type { Middleware } from '../contract/middleware.ts';
import { makeParticipant, type ParticipantInput, sourceOf } from '../contract/participant.ts';
import type { EventsOf, InputsOf, SchemaMap } from '../contract/schema.ts';
import type { Signal, SignalListener } from '../contract/signal.ts';
import type { Transport } from '../contract/transport.ts';
import type { Refuse } from '../contract/unsupported.ts';
import { Requests } from '../control/requests.ts';
import { subscriptionSettings } from '../deliver/subscription-settings.ts';
import { Publisher } from '../publish/publisher.ts';
import { MAX_LATE_SOURCES, SourceReceiver } from '../receive/source-receiver.ts';
import { isAborted, orAborted } from '../timing/abort.ts';
import { retryPolicy } from '../timing/retry.ts';
import { keepAlive, type Runtime, systemRuntime } from '../timing/runtime.ts';
import { LiveBroadcaster } from './broadcaster.ts';
import type { BroadcasterContext, OpenSubscription } from './broadcaster-context.ts';
import { CORE } from './core-identity.ts';
import { claimInstance } from './instances.ts';
import { SignalHub } from './signal-hub.ts';

/** The transport, the topic, and this participant's identity. Pass one of `transport`, `url`, `name`; none: `POLYCAST_URL`. */
export interface ConnectOptions {
  /** A transport created by an adapter. */
  readonly transport?: Transport;
  /** `name://host` or `name+variant://host`: handled by an adapter of `adapters`, else by the package `@polycast/name`, which is loaded on demand. Unknown: `unknown-transport`. */
  readonly url?: string | URL;
  /**
   * Adapters by URL scheme, so that bundlers see them, browsers can use URLs, and packages of any name can be
   * used: `import * as name from '@acme/name'`, then `adapters: { name }`. Also for URLs of `name` and `POLYCAST_URL`.
   */
  readonly adapters?: Adapters;
  /** An entry of `polycast.config.{ts,js,mjs,json}`. */
  readonly name?: string;
  /** The topic that the participants share. Invalid: `invalid-topic`. */
  readonly topic: string;
  /** The identity of this participant. Invalid names: `invalid-address`. @default role `default` with a random instance id */
  readonly self?: ParticipantInput;
  /** Time to live of events published without one, ms, above 0. Infinity: never expires. @default {@link DEFAULT_TTL_MS} */
  readonly ttlMs?: number;
  /** The default of `carbonCopy` when publishing: whether this participant receives its own events. @default false */
  readonly carbonCopy?: boolean;
  /** Sends events larger than the transport allows in chunks. Subscriptions in a group cannot receive them. Not supported: `unsupported`. @default false */
  readonly chunking?: boolean;
  /**
   * Lists this participant as a member, and allows it to call `members()`, on transports where the list is billed
   * (`manifest.capabilities.members.billed`). No effect on other transports: they list every participant with a subscription.
   * Rejected with `unsupported` if the transport has no list. @default false
   */
  readonly members?: boolean;
  /** Number and delays of publish retries after a retryable error. */
  readonly retry?: RetryOptions;
  /** Schemas of event types (zod, valibot, arktype, …): checked when publishing and again before the handler is called. @default none: no check */
  readonly schemas?: SchemaMap;
  /** Schemas of the replies, by the type of the request: checked when replying, and again when the reply arrives. @default none: no check */
  readonly replies?: SchemaMap;
  /** Wraps publishes, requests and handlers, outermost first. @default none */
  readonly middleware?: readonly Middleware[];
  /** Listener for signals of the broadcaster and all its subscriptions. @default none: signals are printed as warnings */
  readonly onSignal?: SignalListener;
  /** Aborts connecting: `connect` rejects with `aborted`. @default none */
  readonly abortSignal?: AbortSignal;
}

const CONNECT_OPTIONS: OptionNames<ConnectOptions> = {
  transport: 1,
  url: 1,
  adapters: 1,
  name: 1,
  topic: 1,
  self: 1,
  ttlMs: 1,
  carbonCopy: 1,
  chunking: 1,
  members: 1,
  retry: 1,
  schemas: 1,
  replies: 1,
  middleware: 1,
  onSignal: 1,
  abortSignal: 1,
};

/**
 * Connects to a topic. @throws PolycastError `invalid-configuration` `invalid-topic` `invalid-address` `unknown-transport`
 * `transport-not-installed` `duplicate-instance` `unsupported` (`chunking` or `members`) `unreachable` `unauthorized` `protocol-mismatch`
 * `aborted`, or the code of the service's error
 * @throws TypeError for an invalid or unknown option; for an unknown one it suggests the nearest name
 */
export function connect<const Schemas extends SchemaMap, const Replies extends SchemaMap = SchemaMap>(
  options: ConnectOptions & { readonly schemas: Schemas; readonly replies?: Replies },
): Promise<Broadcaster<EventsOf<Schemas>, InputsOf<Schemas>, EventsOf<Replies>, InputsOf<Replies>>>;
export function connect<const Replies extends SchemaMap>(
  options: ConnectOptions & { readonly schemas?: undefined; readonly replies: Replies },
): Promise<Broadcaster<EventMap, EventMap, EventsOf<Replies>, InputsOf<Replies>>>;
export function connect<Events extends EventMap = EventMap>(options: ConnectOptions): Promise<Broadcaster<Events>>;
export function connect(options: ConnectOptions): Promise<Broadcaster> {
  const runtime = systemRuntime();
  return keepAlive(runtime, connectOn(runtime, options));
}

/** `connect` with a given clock, for simulations. */
export async function connectOn(runtime: Runtime, options: ConnectOptions): Promise<Broadcaster> {
  if (typeof options !== 'object' || options === null) throw new TypeError('connect() takes options: { url, topic }');
  optionsOf('connect', options, CONNECT_OPTIONS);
  const topic = checkTopic(options.topic);
  const self = makeParticipant(options.self, runtime);
  const retry = retryPolicy(options.retry);
  const ttlMs = aboveZero('ttlMs', options.ttlMs ?? DEFAULT_TTL_MS);
  isAborted(options.abortSignal);
  const isWrapped = (options.schemas ?? options.replies ?? options.middleware) !== undefined;
  const wrapping = isWrapped ? await import('./wrapping.ts') : undefined;
  const middleware = wrapping?.checkMiddleware(options.middleware) ?? [];
  const schemas = options.schemas === undefined ? undefined : wrapping?.checkSchemas(options.schemas);
  const replies = options.replies === undefined ? undefined : wrapping?.checkSchemas(options.replies, 'replies');
  const signals = new SignalHub();
  if (options.onSignal) signals.add(options.onSignal);
  const transport = await transportOf(options);
  if (transport.core !== undefined && transport.core !== CORE) {
    throw new PolycastError(
      'invalid-configuration',
      `${transport.manifest.transport} was made with another copy of @polycast/core; see npm ls @polycast/core`,
    );
  }
  if (options.chunking && transport.manifest.capabilities.chunking.level === 'none') {
    throw (await refusals(transport))('chunking', 'chunking: true');
  }
  const { members } = transport.manifest.capabilities;
  if (options.members && members.level === 'none') throw (await refusals(transport))('members', 'members: true');
  // What calls its subscribers needs none of it, and its pages need not download it.
  const { maxEventBytes, maxBatchesInFlight } = transport.manifest.limits;
  const isLimited = maxEventBytes !== Number.POSITIVE_INFINITY;
  const [chunking, writing, large, queueing, gaps, memberList, refuse, lane] = await Promise.all([
    isLimited ? import('../receive/chunking.ts') : undefined,
    isLimited ? import('../publish/encoder.ts') : undefined,
    isLimited ? import('../publish/large.ts') : undefined,
    maxBatchesInFlight !== Number.POSITIVE_INFINITY ? import('../publish/batch-queue.ts') : undefined,
    transport.manifest.capabilities.gapDetection.level === 'emulated'
      ? import('../receive/gap-detector.ts')
      : undefined,
    transport.manifest.capabilities.members.level === 'emulated' ? import('../control/member-list.ts') : undefined,
    Object.values(transport.manifest.capabilities).some(({ level }) => level === 'none')
      ? refusals(transport)
      : undefined,
    transport.manifest.capabilities.members.level === 'emulated' ? import('../control/control-channel.ts') : undefined,
  ]);
  const release = claimInstance(transport.location, topic, self.instance);
  try {
    const metered: Record<string, number> = {};
    for (const unit of transport.manifest.billedUnits) metered[unit] = 0;
    const subscriptions = new Set<OpenSubscription>();
    let isDown = false;
    let publisher: Publisher | undefined;
    const warned = new Set<string>();
    const report = (signal: Signal, isHeard?: boolean) => {
      if (signals.report(signal) || isHeard || warned.has(signal.kind)) return;
      import('./unheard.ts').then(({ warnOf }) => warnOf(signal, topic, self, warned)).catch(() => {});
    };
    const dropped = { expired: 0, duplicates: 0, overflow: 0, corrupt: 0 };
    const lateSources = new Set<string>();
    const expired: BroadcasterContext['expired'] = ({ source, id }, hear) => {
      dropped.expired++;
      const signal: Signal = { kind: 'expired', source, eventId: id };
      const isHeard = hear(signal);
      if (lateSources.has(source) || lateSources.size >= MAX_LATE_SOURCES) return;
      lateSources.add(source);
      report(signal, isHeard);
    };
    // Not the caller's own: nothing of an adapter's stays on that.
    const unwanted = new AbortController();
    const opening = transport.open({
      topic,
      self,
      abortSignal: unwanted.signal,
      meter: (unit, count) => {
        metered[unit] = (metered[unit] ?? 0) + count;
      },
      signal: (signal) => {
        if (signal.kind === 'disconnected') isDown = true;
        let isHeard = false;
        for (const subscription of subscriptions) isHeard = subscription.hear(signal) || isHeard;
        report(signal, isHeard);
        if (signal.kind === 'reconnected') {
          isDown = false;
          publisher?.wake();
        }
      },
    });
    const link = await orAborted(opening, options.abortSignal, 'connecting was aborted').catch((thrown) => {
      unwanted.abort();
      // One that opens too late is closed again.
      opening.then((late) => late.close()).catch(() => {});
      throw thrown;
    });
    const encoding = writing ?? (link.encode && (await import('../publish/encoder.ts')));
    publisher = new Publisher({
      link,
      encoder: encoding && new encoding.Encoder(link, transport.manifest),
      manifest: transport.manifest,
      topic,
      source: sourceOf(self),
      ttlMs,
      carbonCopy: options.carbonCopy ?? false,
      large,
      splits: options.chunking === true,
      retry,
      queue: queueing?.BatchQueue,
      isDown: () => isDown,
      runtime,
    });
    const refused = (error: PolycastError) => {
      dropped.corrupt++;
      report({ kind: 'corrupt', error });
    };
    const checks = replies && wrapping && new wrapping.ReplyChecks(replies, refused);
    const takesPart = link.enter !== undefined && (members.billed !== true || options.members === true);
    const presence = takesPart
      ? new (await import('../control/presence.ts')).Presence(
          link,
          () => subscriptions.size > 0,
          (thrown) => report({ kind: 'failed', what: 'source', error: PolycastError.from(thrown) }),
        )
      : undefined;
    const context: BroadcasterContext = {
      topic,
      self,
      source: sourceOf(self),
      manifest: transport.manifest,
      filterTarget: transport.filterTarget,
      link,
      runtime,
      publisher,
      requests: new Requests(self, publisher, runtime, checks),
      members: memberList && new memberList.MemberList(self, publisher, runtime, report),
      presence,
      mayAskMembers: members.billed !== true || options.members === true,
      control: undefined,
      makeControl: () => directReceiver(),
      middleware,
      schemas,
      wrapping,
      chunking,
      refuse,
      lane,
      gaps,
      middlewareContext: { topic, self, transport: transport.manifest.transport, location: transport.location },
      subscriptions,
      signals,
      isClosing: false,
      dropped,
      report,
      expired,
    };
    let direct: SourceReceiver | undefined;
    const directReceiver = () => {
      if (direct === undefined || direct.isStopped)
        direct = new SourceReceiver(context, subscriptionSettings(undefined), 'direct');
      return direct;
    };
    return new LiveBroadcaster(context, metered, directReceiver, release);
  } catch (thrown) {
    release();
    throw PolycastError.from(thrown);
  }
}

async function refusals(transport: Transport): Promise<Refuse> {
  return (await import('../contract/unsupported.ts')).refusalsOf(transport);
}

/** The transport given, and no other choice; else what the configuration makes of it, which most pages need not download. */
async function transportOf(options: ConnectOptions): Promise<Transport> {
  const { transport, url, name, adapters } = options;
  // What else was given, and is not one, is refused there.
  if (
    typeof transport?.open === 'function' &&
    typeof transport.manifest === 'object' &&
    (url ?? name ?? adapters) === undefined
  )
    return transport;
  const { resolveTransport } = await import('../configuration/resolve.ts');
  return resolveTransport(options);
}
