import type { Fields } from '../message/encoding/reader.ts';
import type { Budget } from './budget.ts';
import { ProtocolError } from './error.ts';
import type { BeginFields, FlowFields, RheaLink, RheaSession } from './rhea.ts';

/** Frames that the peer may send before we say how many we have seen. What they hold is bounded by message sizes. */
const WINDOW = 0x7fff_ffff;

/** One message that came. */
export interface Arrived {
  readonly deliveryId: number;
  readonly settled: boolean;
  readonly format: number;
  readonly bytes: Buffer;
}

/** A link that takes transfers. */
export interface Taker {
  /** Of one message; larger ones are given up while they come. */
  readonly maxMessageBytes: number;
  take(arrived: Arrived): void;
  tooLarge(arrived: Omit<Arrived, 'bytes'>): void;
}

interface Partial {
  readonly deliveryId: number;
  readonly settled: boolean;
  readonly format: number;
  readonly pieces: Buffer[];
  length: number;
  /** Of the pieces. */
  held: number;
}

/** What the peer sends within one session, in place of rhea's bookkeeping; the fields with underscores are those that rhea reads. */
export class IncomingTransfers {
  readonly window = WINDOW;
  next_transfer_id = 0;
  max_transfer_id = WINDOW;
  readonly #partial = new Map<RheaLink, Partial>();
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  on_begin(fields: BeginFields): void {
    this.next_transfer_id = fields.next_outgoing_id;
    this.max_transfer_id = this.next_transfer_id + WINDOW;
  }

  on_flow(fields: FlowFields): void {
    this.next_transfer_id = fields.next_outgoing_id;
  }

  on_disposition(): void {}

  /** For rhea, once a turn. */
  process(session: RheaSession & { _write_flow(): void }): void {
    if (this.max_transfer_id - this.next_transfer_id < WINDOW / 2) session._write_flow();
  }

  /** @param fields of the transfer, its handle read */
  transfer(link: RheaLink, fields: Fields, payload: Buffer): void {
    this.next_transfer_id = (this.next_transfer_id + 1) >>> 0;
    const taker = link.node as Taker;
    const deliveryId = fields.uint();
    fields.pass();
    const format = fields.uint() ?? 0;
    const settled = fields.boolean() ?? false;
    const more = fields.boolean() ?? false;
    fields.pass(3);
    const aborted = fields.boolean() ?? false;
    const begun = this.#partial.get(link);
    if (begun === undefined && deliveryId === undefined) {
      throw new ProtocolError('amqp:invalid-field', 'The first transfer of a delivery has no delivery-id');
    }
    if (begun === undefined && !more && !aborted) {
      this.#spend(link);
      if (payload.length > taker.maxMessageBytes) taker.tooLarge({ deliveryId: deliveryId!, settled, format });
      else taker.take({ deliveryId: deliveryId!, settled, format, bytes: payload });
      return;
    }
    const partial = begun ?? { deliveryId: deliveryId!, settled, format, pieces: [], length: 0, held: 0 };
    if (aborted) {
      this.forget(link);
      this.#spend(link);
      return;
    }
    this.#partial.set(link, partial);
    partial.length += payload.length;
    // What is too large already is no longer kept, only counted.
    if (partial.length > taker.maxMessageBytes) this.#drop(partial);
    else {
      this.#budget.takeBytes(payload.length);
      partial.held += payload.length;
      partial.pieces.push(payload);
    }
    if (more) return;
    const bytes = Buffer.concat(partial.pieces);
    this.forget(link);
    this.#spend(link);
    if (partial.length > taker.maxMessageBytes) taker.tooLarge(partial);
    else {
      taker.take({
        deliveryId: partial.deliveryId,
        settled: settled || partial.settled,
        format: partial.format,
        bytes,
      });
    }
  }

  /** What has begun on this link will not end. */
  forget(link: RheaLink): void {
    const partial = this.#partial.get(link);
    this.#partial.delete(link);
    if (partial !== undefined) this.#drop(partial);
  }

  #drop(partial: Partial): void {
    partial.pieces.length = 0;
    this.#budget.giveBytes(partial.held);
    partial.held = 0;
  }

  #spend(link: RheaLink): void {
    if (link.credit <= 0) throw new ProtocolError('amqp:link:transfer-limit-exceeded', 'A transfer without credit');
    link.credit--;
    link.delivery_count = (link.delivery_count + 1) >>> 0;
  }
}
