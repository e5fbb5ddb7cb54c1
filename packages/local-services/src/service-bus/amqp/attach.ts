import type { Broker, Delivered, MessageSource, ReceiveMode, Receiver } from '../broker/api.ts';
import { BrokerError } from '../broker/error.ts';
import { LIMITS } from '../broker/limits.ts';
import type { AttachFields, RheaLink } from './rhea.ts';
import { typedLong } from './rhea.ts';

const SESSION_FILTER = 'com.microsoft:session-filter';
const SESSION_TIMEOUT = 'com.microsoft:timeout';
const LOCKED_UNTIL = 'com.microsoft:locked-until-utc';

/** How long a client waits for a session that it does not name, when it does not say, in ms. */
const DEFAULT_SESSION_TIMEOUT_MS = 60_000;
/** .NET counts ticks of 100 ns from the year 1. */
const EPOCH_TICKS = 621_355_968_000_000_000n;

/** Something that hands out messages, and how it is let go. */
export interface Opened {
  readonly start: (onMessage: (delivered: Delivered) => void) => Receiver;
  readonly release: () => void;
  /** Told once when it can no longer be received from. */
  readonly onGone: (listener: (error: BrokerError) => void) => void;
}

export function receiveMode(attach: AttachFields): ReceiveMode {
  return attach.snd_settle_mode === 1 ? 'receive-and-delete' : 'peek-lock';
}

/** Which session a receiver wants; null: the next that is free; undefined: none, it receives without sessions. */
function wantedSession(attach: AttachFields): string | null | undefined {
  const { filter } = attach.source ?? {};
  if (filter === undefined || filter === null || !Object.hasOwn(filter, SESSION_FILTER)) return undefined;
  const wanted = filter[SESSION_FILTER] as { descriptor?: unknown; value?: unknown } | string | null | undefined;
  // Some clients describe the filter's value by its name.
  const value = typeof wanted === 'object' && wanted !== null ? wanted.value : wanted;
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string' || value.length > LIMITS.idCharacters) {
    throw new BrokerError('com.microsoft:argument-error', 'The session filter is not a session id');
  }
  return value;
}

/** Opens what a receiving client attaches to: at once, or when a session is free. @throws BrokerError */
export function openSource(
  broker: Broker,
  path: string,
  link: RheaLink,
  signal: AbortSignal,
): Opened | Promise<Opened> {
  const { attach } = link.remote;
  const source = broker.source(path);
  const mode = receiveMode(attach);
  const wanted = wantedSession(attach);
  if (wanted !== undefined) return openSession(source, wanted, mode, link, signal);
  if (source.requiresSession) {
    throw new BrokerError(
      'amqp:not-allowed',
      `It is not possible for an entity that requires sessions to create a non-sessionful message receiver: ${path}`,
    );
  }
  let stopListening = () => {};
  return {
    start: (onMessage) => source.receive(mode, onMessage),
    release: () => stopListening(),
    onGone: (listener) => {
      stopListening = source.onGone(listener);
    },
  };
}

async function openSession(
  source: MessageSource,
  wanted: string | null,
  mode: ReceiveMode,
  link: RheaLink,
  signal: AbortSignal,
): Promise<Opened> {
  const asked = link.remote.attach.properties?.[SESSION_TIMEOUT];
  const timeoutMs = typeof asked === 'number' && asked >= 0 ? asked : DEFAULT_SESSION_TIMEOUT_MS;
  const lock = await source.acceptSession(wanted, mode, { timeoutMs, signal });
  if (signal.aborted) {
    lock.release();
    throw new BrokerError('com.microsoft:operation-cancelled', 'The link was closed while it waited for a session');
  }
  link.remote.attach.source!.filter = { [SESSION_FILTER]: lock.sessionId };
  link.local.attach.properties = {
    [LOCKED_UNTIL]: typedLong(BigInt(Math.round(lock.lockedUntilMs)) * 10_000n + EPOCH_TICKS),
  };
  let stopListening = () => {};
  return {
    start: (onMessage) => lock.start(onMessage),
    release: () => {
      stopListening();
      lock.release();
    },
    onGone: (listener) => {
      lock.onLost(listener);
      stopListening = source.onGone(listener);
    },
  };
}
