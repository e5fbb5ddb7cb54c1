import type { Fields } from '../message/encoding/reader.ts';
import type { Writer } from '../message/encoding/writer.ts';
import { FRAME_AMQP, PERFORMATIVE } from './frame-splitter.ts';
import type { BeginFields, FlowFields } from './rhea.ts';
import type { Wire } from './wire.ts';

/** The most that a transfer takes beside its payload: frame header, descriptor, list, fields. */
const TRANSFER_OVERHEAD_BYTES = 64;
/** A window that never closes in practice; wider ones break the arithmetic of 32 bits. */
const MAX_WINDOW = 0x7fff_ffff;

/** Somebody whose deliveries the peer has not settled. */
export interface Deliverer {
  /** @param state the outcome's fields behind its descriptor; undefined: none was given */
  settledByPeer(deliveryId: number, lockToken: string, state: PeerState | undefined, settled: boolean): void;
}

export interface PeerState {
  readonly code: number;
  readonly fields: Fields;
}

interface Unsettled {
  readonly deliverer: Deliverer;
  readonly lockToken: string;
}

/** What we send within one session, in place of rhea's bookkeeping; the fields with underscores are those that rhea reads. */
export class OutgoingTransfers {
  readonly deliveries = { available: () => 1 };
  readonly window = MAX_WINDOW;
  next_transfer_id = 0;
  readonly #wire: Wire;
  readonly #channel: number;
  readonly #maxFrameBytes: number;
  readonly #unsettled = new Map<number, Unsettled>();
  /** Frames for which the peer's window has no room. */
  #waiting: Buffer[] = [];
  #nextDeliveryId = 0;
  /** The transfer id at which the peer's window closes. */
  #limit = 0;
  #wasFull = false;
  /** Told when the window opens again. */
  onRoom: () => void = () => {};

  constructor(wire: Wire, channel: number, maxFrameBytes: number) {
    this.#wire = wire;
    this.#channel = channel;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Should no more deliveries be started now? Who is told yes is told by `onRoom` when it is no. */
  isFull(): boolean {
    const full = this.#waiting.length > 0 || this.#room <= 0;
    if (full) this.#wasFull = true;
    return full;
  }

  get #room(): number {
    return (this.#limit - this.next_transfer_id) | 0;
  }

  on_begin(fields: BeginFields): void {
    this.#limit = Math.min(fields.incoming_window, MAX_WINDOW) >>> 0;
  }

  on_flow(fields: FlowFields): void {
    // A peer that has not seen our begin yet does not know what comes next: our first transfer.
    this.#limit = ((fields.next_incoming_id ?? 0) + Math.min(fields.incoming_window, MAX_WINDOW)) >>> 0;
    this.process();
  }

  /** For rhea, once a turn. */
  process(): void {
    this.#writeWaiting();
    if (!this.#wasFull || this.isFull()) return;
    this.#wasFull = false;
    this.onRoom();
  }

  /**
   * Sends one message, now or as soon as the peer's window lets it.
   * @param maxBytes the most that `write` may write
   * @param unsettled who is told of its outcome, and by which lock token; undefined: it is sent settled
   */
  send(
    handle: number,
    tag: Buffer,
    maxBytes: number,
    write: (writer: Writer) => void,
    writer: Writer,
    unsettled: Unsettled | undefined,
  ): void {
    const id = this.#nextDeliveryId;
    this.#nextDeliveryId = (id + 1) >>> 0;
    if (unsettled !== undefined) this.#unsettled.set(id, unsettled);
    const settled = unsettled === undefined;
    const { out } = this.#wire;
    if (!this.isFull() && maxBytes + TRANSFER_OVERHEAD_BYTES + tag.length <= this.#maxFrameBytes) {
      const at = this.#openFrame(out, { handle, id, tag, settled, more: false });
      write(out);
      out.patchUint32(at, out.length - at);
      this.next_transfer_id = (this.next_transfer_id + 1) >>> 0;
      this.#wire.flushSoon();
      return;
    }
    write(writer);
    const payload = writer.takeBytes();
    const step = this.#maxFrameBytes - TRANSFER_OVERHEAD_BYTES - tag.length;
    for (let from = 0; from === 0 || from < payload.length; from += step) {
      const at = this.#openFrame(writer, { handle, id, tag, settled, more: from + step < payload.length });
      writer.raw(payload, from, Math.min(payload.length, from + step));
      writer.patchUint32(at, writer.length - at);
      this.#waiting.push(writer.takeBytes());
    }
    // Nobody is told of room here: the broker is in the middle of handing out.
    this.#writeWaiting();
  }

  #writeWaiting(): void {
    if (this.#waiting.length === 0) return;
    const frames = this.#waiting.splice(0, Math.max(0, this.#room));
    for (const frame of frames) this.#wire.out.raw(frame);
    this.next_transfer_id = (this.next_transfer_id + frames.length) >>> 0;
    if (frames.length > 0) this.#wire.flushSoon();
  }

  #openFrame(
    out: Writer,
    transfer: { handle: number; id: number; tag: Buffer; settled: boolean; more: boolean },
  ): number {
    const at = openFrame(out, this.#channel, PERFORMATIVE.transfer);
    const list = out.openList();
    out.uint(transfer.handle);
    out.uint(transfer.id);
    out.binary(transfer.tag);
    out.uint(0);
    out.boolean(transfer.settled);
    out.boolean(transfer.more);
    out.close(list, 6);
    return at;
  }

  /** The peer says what became of deliveries `first` to `last`. */
  disposition(first: number, last: number, settled: boolean, state: () => PeerState | undefined): void {
    const count = ((last - first) >>> 0) + 1;
    if (count > this.#unsettled.size) {
      // A range that names what never was: look at what there is.
      for (const id of [...this.#unsettled.keys()]) {
        if ((id - first) >>> 0 < count) this.#tell(id, settled, state());
      }
      return;
    }
    for (let i = 0; i < count; i++) this.#tell((first + i) >>> 0, settled, state());
  }

  #tell(id: number, settled: boolean, state: PeerState | undefined): void {
    const entry = this.#unsettled.get(id);
    if (entry === undefined) return;
    // Without a terminal outcome and not settled, there is nothing to do yet.
    if (state === undefined && !settled) return;
    this.#unsettled.delete(id);
    entry.deliverer.settledByPeer(id, entry.lockToken, state, settled);
  }

  /** A link is gone: nobody waits for its outcomes. */
  forget(deliverer: Deliverer): void {
    for (const [id, entry] of this.#unsettled) if (entry.deliverer === deliverer) this.#unsettled.delete(id);
  }
}

/** Begins a frame; patch its size when it is complete. @returns where it begins */
export function openFrame(out: Writer, channel: number, performative: number, type = FRAME_AMQP): number {
  const at = out.length;
  out.uint32(0);
  out.byte(2);
  out.byte(type);
  out.uint16(channel);
  out.descriptor(performative);
  return at;
}
