import { CONTROL, isName } from '../contract/address.ts';
import type { MembersOptions } from '../contract/contract.ts';
import { PolycastError } from '../contract/error.ts';
import type { Participant } from '../contract/participant.ts';
import type { Signal } from '../contract/signal.ts';
import type { BroadcastEvent } from '../envelope/event.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { Timer } from '../timing/timer.ts';

/** @default for `members`' `timeoutMs`: how long a call waits for answers */
export const DEFAULT_MEMBERS_TIMEOUT_MS = 500;
/** How often a participant tells that it is there, while somebody wants to know; and how long the answers to a roll call stand. */
export const HEARTBEAT_MS = 5_000;
/** A participant not heard of for this long is taken for gone. */
export const MEMBER_EXPIRY_MS = 12_500;
/** How long after a roll call heartbeats go on. */
export const INTEREST_MS = 60_000;
const MAX_MEMBERS = 100_000;

const ROLL_CALL_TYPE = 'polycast.roll-call';
const HEARTBEAT_TYPE = 'polycast.heartbeat';
const GOODBYE_TYPE = 'polycast.goodbye';

/**
 * Who is there, asked over the topic itself. Nothing is sent until somebody calls `members()`: a roll call, which every
 * listening participant answers at once and then with heartbeats for {@link INTEREST_MS}. Silence costs nothing.
 */
export class MemberList {
  readonly #self: Participant;
  readonly #publisher: Publisher;
  readonly #report: (signal: Signal) => void;
  readonly #runtime: Runtime;
  readonly #seen = new Map<string, { participant: Participant; atMs: number }>();
  /** Others want heartbeats until then, by the runtime's clock. */
  #wantedUntilMs = Number.NEGATIVE_INFINITY;
  /** The roll call under way; once it is answered for, everybody known is in `#seen`. */
  #calling: Promise<void> | undefined;
  /** When the last one was sent. */
  #calledAtMs = Number.NEGATIVE_INFINITY;
  #heartbeat: Timer | undefined;
  #isClosed = false;

  constructor(self: Participant, publisher: Publisher, runtime: Runtime, report: (signal: Signal) => void) {
    this.#runtime = runtime;
    this.#self = self;
    this.#publisher = publisher;
    this.#report = report;
  }

  /** Are heartbeats of others expected? */
  get isAsking(): boolean {
    return this.#calling !== undefined || this.#runtime.nowMs() - this.#calledAtMs < INTEREST_MS;
  }

  /** @param listens is this participant a member itself? */
  async list(options: MembersOptions, listens: boolean): Promise<readonly Participant[]> {
    const { timeoutMs = DEFAULT_MEMBERS_TIMEOUT_MS } = options;
    // Who subscribed since nobody has asked yet.
    if (this.#runtime.nowMs() - this.#calledAtMs >= HEARTBEAT_MS) this.#calling ??= this.#call();
    // Whoever asks meanwhile waits for the same call, and as long for its answers as they say.
    await this.#calling;
    const waitedMs = this.#runtime.nowMs() - this.#calledAtMs;
    if (waitedMs < timeoutMs) await pause(this.#runtime, timeoutMs - waitedMs);
    const oldest = this.#runtime.nowMs() - MEMBER_EXPIRY_MS;
    for (const [instance, { atMs }] of this.#seen) if (atMs < oldest) this.#seen.delete(instance);
    const all = [...(listens ? [this.#self] : []), ...[...this.#seen.values()].map(({ participant }) => participant)];
    return options.role === undefined ? all : all.filter(({ role }) => role === options.role);
  }

  /** Rejects if the roll call could not be sent; the next caller sends it again. */
  async #call(): Promise<void> {
    try {
      await this.#send(ROLL_CALL_TYPE, { forMs: INTEREST_MS });
      this.#calledAtMs = this.#runtime.nowMs();
    } finally {
      this.#calling = undefined;
    }
  }

  receive(event: BroadcastEvent): void {
    const participant = readParticipant(event);
    if (participant === undefined || participant.instance === this.#self.instance) return;
    if (event.type === GOODBYE_TYPE) this.#seen.delete(participant.instance);
    else if (event.type === HEARTBEAT_TYPE || event.type === ROLL_CALL_TYPE) {
      if (this.#seen.size < MAX_MEMBERS)
        this.#seen.set(participant.instance, { participant, atMs: this.#runtime.nowMs() });
      if (event.type === ROLL_CALL_TYPE) this.#answer();
    }
  }

  /** Says goodbye to those who want to know. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    if (this.#runtime.nowMs() < this.#wantedUntilMs) await this.#send(GOODBYE_TYPE).catch(() => {});
  }

  #answer(): void {
    // A source that has not stopped yet may still bring a call.
    if (this.#isClosed) return;
    this.#wantedUntilMs = this.#runtime.nowMs() + INTEREST_MS;
    this.#beat();
    this.#heartbeat ??= this.#runtime.every(HEARTBEAT_MS, () => {
      if (this.#runtime.nowMs() < this.#wantedUntilMs) return this.#beat();
      this.#heartbeat?.cancel();
      this.#heartbeat = undefined;
    });
  }

  #beat(): void {
    this.#send(HEARTBEAT_TYPE).catch((thrown: unknown) => {
      this.#report({ kind: 'failed', what: 'publish', error: PolycastError.from(thrown) });
    });
  }

  #send(type: string, more: Record<string, unknown> = {}): Promise<void> {
    const input = { type, data: { ...this.#self, ...more } };
    return this.#publisher.send(this.#publisher.prepare(input, { ttlMs: MEMBER_EXPIRY_MS }, { to: CONTROL }));
  }
}

/** @returns undefined for anything that is no well-formed participant: it came off the wire */
function readParticipant(event: BroadcastEvent): Participant | undefined {
  let data: { instance?: unknown; role?: unknown; deployment?: unknown } | null | undefined;
  try {
    data = event.data as typeof data;
  } catch {
    return undefined;
  }
  if (typeof data !== 'object' || data === null) return undefined;
  const { instance, role, deployment } = data;
  if (typeof instance !== 'string' || typeof role !== 'string' || !isName(instance) || !isName(role)) return undefined;
  return typeof deployment === 'string' && isName(deployment) ? { instance, role, deployment } : { instance, role };
}

/** Resolves after `delayMs`. Never rejects. */
function pause(runtime: Runtime, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    runtime.after(delayMs, resolve);
  });
}
