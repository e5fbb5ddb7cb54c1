import type { Delivered, ReceiveMode, Receiver } from '../broker/api.ts';
import { DELIVERY_OVERHEAD_BYTES, writeForDelivery } from '../message/delivery.ts';
import type { Writer } from '../message/encoding/writer.ts';
import { amqpErrorOf } from './error.ts';
import { deliveryTag } from './guid.ts';
import type { LinkNode } from './node.ts';
import { outcomeFor } from './outcome.ts';
import type { Deliverer, PeerState } from './outgoing-transfers.ts';
import type { FlowFields, RheaLink } from './rhea.ts';
import type { Session } from './session.ts';
import type { Wire } from './wire.ts';

export interface SourceLinkOptions {
  readonly link: RheaLink;
  readonly session: Session;
  readonly wire: Wire;
  readonly mode: ReceiveMode;
  readonly writer: Writer;
  readonly allowed: () => boolean;
  /** Starts to receive; no credit at first. */
  readonly start: (onMessage: (delivered: Delivered) => void) => Receiver;
  /** Lets go of what it received from, once. */
  readonly release: () => void;
}

/** A client that receives from a queue, a subscription, a sub-queue, or one session of these. */
export class SourceLink implements LinkNode, Deliverer {
  readonly #options: SourceLinkOptions;
  readonly #receiver: Receiver;
  #draining = false;
  #closed = false;
  /** Numbers deliveries that have no lock token. */
  #tag = 0;

  constructor(options: SourceLinkOptions) {
    this.#options = options;
    options.link._get_drain = () => this.#draining;
    this.#receiver = options.start((delivered) => this.#deliver(delivered));
  }

  get allowed(): boolean {
    return this.#options.allowed();
  }

  flow({ delivery_count, link_credit, drain, echo }: FlowFields): void {
    const { link } = this.#options;
    // What the peer grants counts from what it has seen; some have not seen our attach yet.
    const seen = delivery_count ?? 0;
    link.credit = Math.max(0, (seen + (link_credit ?? 0) - link.delivery_count) | 0);
    this.#draining = drain === true;
    if (echo) this.#writeFlow();
    this.resume();
  }

  resume(): void {
    if (this.#closed) return;
    const { link } = this.#options;
    this.#receiver.credit = this.#stalled ? 0 : link.credit;
    if (!this.#draining || this.#stalled) return;
    // All there is has been handed out: the rest of the credit is used up.
    this.#receiver.credit = 0;
    link.delivery_count = (link.delivery_count + link.credit) >>> 0;
    link.credit = 0;
    this.#writeFlow();
  }

  get #stalled(): boolean {
    return this.#options.wire.isCongested() || this.#options.session.outgoing.isFull();
  }

  #writeFlow(): void {
    this.#options.link.issue_flow = true;
    this.#options.link.connection._register();
  }

  #deliver({ message, lockToken, lockedUntilMs }: Delivered): void {
    const { link, session, writer } = this.#options;
    link.credit--;
    link.delivery_count = (link.delivery_count + 1) >>> 0;
    session.outgoing.send(
      link.local.handle,
      lockToken === undefined ? this.#nextTag() : deliveryTag(lockToken),
      message.content.size + DELIVERY_OVERHEAD_BYTES + (message.deadLetterSource?.length ?? 0) * 3,
      (out) => writeForDelivery(out, message, { lockedUntilMs, lockToken }),
      writer,
      lockToken === undefined ? undefined : { deliverer: this, lockToken },
    );
    if (this.#stalled) this.#receiver.credit = 0;
  }

  #nextTag(): Buffer {
    const tag = Buffer.allocUnsafe(4);
    tag.writeUInt32BE(this.#tag);
    this.#tag = (this.#tag + 1) >>> 0;
    return tag;
  }

  settledByPeer(deliveryId: number, lockToken: string, state: PeerState | undefined, settled: boolean): void {
    const { session } = this.#options;
    try {
      this.#receiver.settle(lockToken, outcomeFor(state));
      // Whatever the outcome, the answer is `accepted`: clients take anything else for a refusal.
      if (!settled) session.sent.accept(deliveryId);
    } catch (error) {
      if (!settled) session.sent.reject(deliveryId, amqpErrorOf(error));
    }
  }

  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.session.outgoing.forget(this);
    this.#receiver.close();
    this.#options.release();
  }
}
