import type { Manifest, Transport } from '@polycast/core';

/**
 * What is put to the test: how to reach one transport, and what its harness can do to the service behind it.
 * Everything optional widens what can be checked; a case that needs what is missing is reported as `not-run`.
 */
export interface ConformanceTarget {
  /** For people: `memory`, `redis 7.0 pub/sub`. */
  readonly name: string;
  /** Shown in the report, with secrets removed. */
  readonly url?: string;
  /** A fresh transport to the same service; called once a participant. */
  transport(): Transport;
  readonly faults?: Faults;
  /** Why a fault is missing, by its name: becomes the reason of `not-run`. */
  readonly withoutFaults?: Partial<Readonly<Record<Need, string>>>;
  /**
   * Names of what the service holds for a topic now (channels, keys, subscriptions), however it got there.
   * What the service keeps by design for a while (a stream of past events) is left out.
   */
  residue?(topic: string): Promise<readonly string[]>;
  /** How participants in processes of their own reach the service: what histories with faults (the soak) need. */
  readonly remote?: Remote;
  /** Puts raw bytes on a topic, addressed to everyone, as a stranger would, who has never heard of Polycast. */
  inject?(topic: string, bytes: Uint8Array): Promise<void>;
  /** Removes what a topic, and its dead letters, left on the service: what participants in other processes opened. */
  forget?(topic: string): Promise<void>;
  /** Ends what making the target started, and removes what the topics opened through it left on a service that stays. */
  dispose?(): Promise<void>;
}

/** How a participant in another process reaches the service. */
export interface Remote {
  /** Module that exports `fromUrl`: a `file:` URL of a built file. */
  readonly module: string;
  /**
   * Where the service listens, if a participant can be led there by another port of this machine. Left out: its connections
   * cannot be broken one by one (TLS names the host, or there is no service).
   */
  readonly address?: { readonly host: string; readonly port: number };
  /** The URL of the service; with a port, by this port of 127.0.0.1. */
  urlAt(port: number | undefined): string;
  /** Lock of a delivery in histories, ms: the shortest that the service takes. @default 1 000 */
  readonly lockMs?: number;
}

/** What a harness can do to the service, or to the way to it. Each resolves when the deed is done. */
export interface Faults {
  /** Stops the service cleanly and starts it again; what it has promised to keep is kept. Resolves when it can be reached. */
  restart?(): Promise<void>;
  /** Ends the service at once. {@link Faults.start} brings it back. */
  kill?(): Promise<void>;
  /** Starts the service after `kill`; resolves when it can be reached. Harmless while it runs. */
  start?(): Promise<void>;
  /** The service keeps its connections and answers nothing. {@link Faults.thaw} ends it. */
  freeze?(): Promise<void>;
  /** Harmless when nothing is frozen. */
  thaw?(): Promise<void>;
  /** Breaks every connection once; the service stays, and new connections succeed. */
  cut?(): Promise<void>;
  /** Cuts one participant's transport off for good, without goodbye, as when its process is killed. */
  abandon?(transport: Transport): Promise<void>;
  /** From now on the service refuses what it is sent, so that trying again is right (it is busy, or full). {@link Faults.relent} ends it. */
  refuse?(): Promise<void>;
  relent?(): Promise<void>;
  /**
   * The service refuses the next send to each topic, and asks to be left alone for at least so long, in its own words. The adapter puts
   * it into `PolycastError.retryAfterMs`. Resolves to how long it asks for, ms.
   */
  throttle?(leastMs: number): Promise<number>;
  /** Takes the right to use a topic away from the participants. {@link Faults.permit} gives it back. */
  forbid?(topic: string): Promise<void>;
  permit?(topic: string): Promise<void>;
  /** Has the service drop what it keeps of a topic and some subscriptions have not read yet. */
  trim?(topic: string): Promise<void>;
  /** The service loses all that it has kept, as when it comes back from a crash without its data. */
  wipe?(): Promise<void>;
  /** Another server takes over, and the one before stays. @returns where the service is now */
  demote?(): Promise<{ readonly host: string; readonly port: number }>;
}

/** What a case can need of a target beyond a transport. */
export const NEEDS = [
  'restart',
  'kill',
  'freeze',
  'cut',
  'abandon',
  'throttle',
  'trim',
  'inject',
  'residue',
  'handles',
] as const;
export type Need = (typeof NEEDS)[number];

/** @returns the reason why the target cannot provide it; undefined if it can */
export function missing(target: ConformanceTarget, need: Need): string | undefined {
  if (has(target, need)) return undefined;
  return target.withoutFaults?.[need] ?? `the harness of ${target.name} cannot ${VERBS[need]}`;
}

/** What can be looked at in any case. */
const ANYWHERE: ReadonlySet<Need> = new Set(['residue', 'handles']);
/** What takes a wire, and no service: a stranger may write on it, and a participant may be cut off from it. */
const ON_A_WIRE: ReadonlySet<Need> = new Set(['inject', 'abandon']);

/** @returns why nothing of the kind can happen to such a transport; undefined if it can */
export function beyond(manifest: Manifest, need: Need): string | undefined {
  const { via = 'service' } = manifest;
  if (via === 'service' || ANYWHERE.has(need)) return undefined;
  if (via === 'process') return `the transport is in-process: not possible to ${VERBS[need]}`;
  return ON_A_WIRE.has(need)
    ? undefined
    : `the transport has no service and no connection: not possible to ${VERBS[need]}`;
}

const VERBS: Readonly<Record<Need, string>> = {
  restart: 'restart the service',
  kill: 'kill the service and start it again',
  freeze: 'freeze the service and thaw it',
  cut: 'cut connections',
  abandon: 'disconnect one participant permanently',
  throttle: 'make the service ask the client to back off',
  trim: 'make the service drop unread events',
  inject: 'put messages of other software on a topic',
  residue: 'list what remains on the service',
  handles: 'count open handles: the runtime does not report them',
};

function has(target: ConformanceTarget, need: Need): boolean {
  const faults = target.faults;
  switch (need) {
    case 'kill':
      return faults?.kill !== undefined && faults.start !== undefined;
    case 'freeze':
      return faults?.freeze !== undefined && faults.thaw !== undefined;
    case 'inject':
      return target.inject !== undefined;
    case 'residue':
      return target.residue !== undefined;
    case 'handles':
      return typeof globalThis.process?.getActiveResourcesInfo === 'function';
    default:
      return faults?.[need] !== undefined;
  }
}
