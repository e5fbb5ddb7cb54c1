import { PolycastError } from '../contract/error.ts';
import type { Signal } from '../contract/signal.ts';
import type { Lease } from '../contract/transport.ts';
import { decodeEvents } from '../envelope/decode.ts';
import { encodeEvent } from '../envelope/encode.ts';
import { type BroadcastEvent, expireAfter, type Identity, remainingMs } from '../envelope/event.ts';
import type { Runtime } from '../timing/runtime.ts';
import type { Timer } from '../timing/timer.ts';
import type { Settler } from './settler.ts';

/** A piece of a large event: bytes of its JSON text, and where they belong. */
export interface Chunk {
  readonly chunkid: string;
  readonly chunkindex: number;
  readonly chunkcount: number;
  readonly data: Uint8Array;
}

/** Room for a piece's own attributes. */
const CHUNK_OVERHEAD_BYTES = 2_048;
/** Largest event that is put together again. */
export const MAX_REASSEMBLED_BYTES = 64 * 1024 * 1024;
const MAX_ASSEMBLIES = 64;

/** Cuts an event into pieces that each fit in `maxEventBytes`. @throws `payload-too-large` */
export function splitEvent(event: BroadcastEvent, maxEventBytes: number): Chunk[] {
  const bytes = new TextEncoder().encode(encodeEvent(event));
  // Bytes travel as base64: four characters for three bytes.
  const size = Math.floor(((maxEventBytes - CHUNK_OVERHEAD_BYTES) * 3) / 4);
  if (size <= 0 || bytes.length > MAX_REASSEMBLED_BYTES) {
    throw new PolycastError(
      'payload-too-large',
      `${bytes.length} bytes are too many even in chunks of ${Math.max(size, 0)} bytes`,
    );
  }
  const chunkcount = Math.ceil(bytes.length / size);
  return Array.from({ length: chunkcount }, (_, chunkindex) => ({
    chunkid: event.id,
    chunkindex,
    chunkcount,
    data: bytes.subarray(chunkindex * size, (chunkindex + 1) * size),
  }));
}

interface Assembly {
  /** When its time to live is over, by the runtime's monotonic clock. */
  readonly deadlineMs: number;
  readonly pieces: (Uint8Array | undefined)[];
  readonly leases: Lease[];
  readonly timer: Timer;
  /** When the first of the pieces' locks ends that cannot be renewed. */
  lockEndsMs: number;
  missing: number;
  bytes: number;
}

/** Where pieces come in, and whole events go. */
interface Receiver {
  readonly context: { readonly runtime: Runtime };
  readonly settler: Settler;
  wasAccepted(whole: Identity): boolean;
  deliver(
    event: BroadcastEvent,
    lease: Lease | undefined,
    isFresh: boolean,
    position: undefined,
    isTimed: boolean,
  ): boolean;
  corrupt(error: PolycastError): void;
  signal(signal: Signal): void;
}

export function assemblerFor(receiver: Receiver): Assembler {
  return new Assembler({
    complete: (whole, joined) => void receiver.deliver(whole, joined, false, undefined, true),
    lost: (source, count) => {
      const gap = { kind: 'gap', reason: 'chunk', source } as const;
      receiver.signal(count === undefined ? gap : { ...gap, count });
    },
    wasAccepted: (whole) => receiver.wasAccepted(whole),
    corrupt: (error) => receiver.corrupt(error),
    settler: receiver.settler,
    runtime: receiver.context.runtime,
  });
}

/** Puts large events together again, bounded in number, size and time. */
export class Assembler {
  readonly #complete: (event: BroadcastEvent, lease: Lease | undefined) => void;
  readonly #lost: (source: string, missing: number | undefined) => void;
  readonly #corrupt: (error: PolycastError) => void;
  readonly #wasAccepted: (whole: Identity) => boolean;
  readonly #settler: Settler;
  readonly #runtime: Runtime;
  readonly #assemblies = new Map<string, Assembly>();
  #bytes = 0;

  constructor(events: {
    complete: (event: BroadcastEvent, lease: Lease | undefined) => void;
    /** @param missing undefined: nobody knows whether they are */
    lost: (source: string, missing: number | undefined) => void;
    corrupt: (error: PolycastError) => void;
    wasAccepted: (whole: Identity) => boolean;
    settler: Settler;
    runtime: Runtime;
  }) {
    this.#runtime = events.runtime;
    this.#settler = events.settler;
    this.#complete = events.complete;
    this.#lost = events.lost;
    this.#corrupt = events.corrupt;
    this.#wasAccepted = events.wasAccepted;
  }

  add(chunk: BroadcastEvent, lease: Lease | undefined): void {
    const { chunkid, chunkindex: index, chunkcount: count } = chunk;
    const data = chunk.data;
    if (
      typeof chunkid !== 'string' ||
      !(data instanceof Uint8Array) ||
      !isCount(count) ||
      !(typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < count)
    ) {
      this.#corrupt(
        new PolycastError('corrupt-event', 'a piece of a large event without its id, index, count or bytes'),
      );
      this.#settler.accept(lease);
      return;
    }
    if (lease !== undefined && lease.attempt > 1 && this.#wasAccepted({ id: chunkid, source: chunk.source })) {
      // The settlement of this piece alone was lost: the others never come again.
      this.#settler.accept(lease);
      return;
    }
    const key = `${chunk.source}\n${chunkid}`;
    const assembly = this.#assemblies.get(key) ?? this.#start(key, chunk, count);
    if (lease) assembly.leases.push(lease);
    if (lease?.lockedForMs !== undefined) {
      assembly.lockEndsMs = Math.min(assembly.lockEndsMs, this.#runtime.nowMs() + lease.lockedForMs);
    }
    if (assembly.pieces.length !== count || assembly.pieces[index] !== undefined) return;
    assembly.pieces[index] = data;
    assembly.missing--;
    assembly.bytes += data.length;
    this.#bytes += data.length;
    if (assembly.missing === 0) this.#finish(key, assembly);
    else if (this.#bytes > MAX_REASSEMBLED_BYTES) this.#giveUp(this.#assemblies.keys().next().value as string);
  }

  /** Forgets what is incomplete; leases go back. */
  close(): void {
    for (const [key, assembly] of this.#assemblies) {
      this.#remove(key, assembly);
      for (const lease of assembly.leases) this.#settler.giveBack(lease);
    }
  }

  #start(key: string, chunk: BroadcastEvent, count: number): Assembly {
    if (this.#assemblies.size >= MAX_ASSEMBLIES) this.#giveUp(this.#assemblies.keys().next().value as string);
    // The publisher's clock may be wrong: what counts is when the piece came, and how long it has to live.
    const leftMs = Math.max(remainingMs(chunk, this.#runtime), 0);
    const patienceMs = Math.min(leftMs, MAX_PATIENCE_MS);
    const assembly: Assembly = {
      deadlineMs: this.#runtime.nowMs() + leftMs,
      pieces: new Array(count).fill(undefined),
      leases: [],
      timer: this.#runtime.after(patienceMs, () => this.#giveUp(key)),
      lockEndsMs: Number.POSITIVE_INFINITY,
      missing: count,
      bytes: 0,
    };
    this.#assemblies.set(key, assembly);
    return assembly;
  }

  #finish(key: string, assembly: Assembly): void {
    this.#remove(key, assembly);
    const whole = new Uint8Array(assembly.bytes);
    let at = 0;
    for (const piece of assembly.pieces as Uint8Array[]) {
      whole.set(piece, at);
      at += piece.length;
    }
    const { leases, lockEndsMs } = assembly;
    const lease = leases.length > 0 ? joinLeases(leases, lockEndsMs - this.#runtime.nowMs()) : undefined;
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(whole);
    } catch (cause) {
      this.#corrupt(new PolycastError('corrupt-event', 'the pieces of a large event are not UTF-8', { cause }));
      this.#settler.accept(lease);
      return;
    }
    decodeEvents(
      text,
      (event) => {
        expireAfter(event, assembly.deadlineMs - this.#runtime.nowMs(), this.#runtime);
        this.#complete(event, lease);
      },
      (error) => {
        this.#corrupt(error);
        this.#settler.accept(lease);
      },
      { maxTextLength: MAX_REASSEMBLED_BYTES, maxEvents: 1 },
    );
  }

  #giveUp(key: string): void {
    const assembly = this.#assemblies.get(key);
    if (!assembly) return;
    this.#remove(key, assembly);
    // What comes again may be the rest of what an earlier life has handled.
    const isKnown = assembly.leases.every(({ attempt }) => attempt === 1);
    this.#lost(key.slice(0, key.indexOf('\n')), isKnown ? assembly.missing : undefined);
    for (const lease of assembly.leases) this.#settler.accept(lease);
  }

  #remove(key: string, assembly: Assembly): void {
    assembly.timer.cancel();
    this.#assemblies.delete(key);
    this.#bytes -= assembly.bytes;
  }
}

const MAX_PATIENCE_MS = 60_000;
/** Pieces of the largest event at the smallest useful size. */
const MAX_CHUNKS = 65_536;

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_CHUNKS;
}

/** One lease over all pieces: what is decided of the event is decided of each. */
function joinLeases(leases: readonly Lease[], lockedForMs: number): Lease {
  const renewable = leases.filter((lease) => lease.renew !== undefined);
  const last = leases[leases.length - 1] as Lease;
  return {
    attempt: Math.max(...leases.map((lease) => lease.attempt)),
    ...(lockedForMs === Number.POSITIVE_INFINITY ? {} : { lockedForMs }),
    ...(last.position === undefined ? {} : { position: last.position }),
    settle: async (settlement) => {
      await Promise.all(leases.map((lease) => lease.settle(settlement)));
    },
    ...(renewable.length === 0
      ? {}
      : {
          renew: async () => {
            await Promise.all(renewable.map((lease) => lease.renew?.()));
          },
        }),
  };
}
