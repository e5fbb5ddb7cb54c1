import type { Broadcaster, EventMap } from './contract.ts';
import { PolycastError } from './error.ts';
import type { ParticipantInput } from './participant.ts';
import type { SignalListener } from './signal.ts';
import type { Transport } from './transport.ts';

/** How to reach a topic and who you are there. One of `transport`, `url`, `name` chooses the transport; none: `POLYCAST_URL`. */
export interface ConnectOptions {
  /** A transport made by an adapter: `memory()`, `redis({ … })`. */
  readonly transport?: Transport;
  /** `memory:`, `redis://host:6379`, `redis+streams://host:6379`: the package `@polycast/<scheme>` is loaded on demand. */
  readonly url?: string | URL;
  /** An entry of `polycast.config.{ts,js,mjs,json}`. */
  readonly name?: string;
  /** The space participants share. */
  readonly topic: string;
  readonly self?: ParticipantInput;
  /** @default for every publish: {@link DEFAULT_TTL_MS} */
  readonly ttlMs?: number;
  /** @default for every publish: false */
  readonly carbonCopy?: boolean;
  readonly onSignal?: SignalListener;
}

/** Connects. @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed` `unreachable` `unauthorized` … */
export async function connect<Events extends EventMap = EventMap>(
  _options: ConnectOptions,
): Promise<Broadcaster<Events>> {
  throw new PolycastError('internal', 'not built yet');
}
