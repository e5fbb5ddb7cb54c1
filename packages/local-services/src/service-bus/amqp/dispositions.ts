import type { Writer } from '../message/encoding/writer.ts';
import { PERFORMATIVE } from './frame-splitter.ts';
import { openFrame } from './outgoing-transfers.ts';
import type { AmqpError } from './rhea.ts';
import type { Wire } from './wire.ts';

/** Outcomes by their descriptors. */
export const OUTCOME = { received: 0x23, accepted: 0x24, rejected: 0x25, released: 0x26, modified: 0x27 } as const;

/** Settles deliveries of one session in one direction. Neighbours that are accepted in one turn share a frame. */
export class Dispositions {
  readonly #wire: Wire;
  readonly #channel: number;
  /** True: of what we received. */
  readonly #receiving: boolean;
  #first = 0;
  /** How many are accepted and not yet written. */
  #count = 0;

  constructor(wire: Wire, channel: number, receiving: boolean) {
    this.#wire = wire;
    this.#channel = channel;
    this.#receiving = receiving;
  }

  accept(deliveryId: number): void {
    if (this.#count > 0 && deliveryId === (this.#first + this.#count) >>> 0) {
      this.#count++;
      return;
    }
    this.flush();
    this.#first = deliveryId;
    this.#count = 1;
    this.#wire.flushSoon();
  }

  reject(deliveryId: number, error: AmqpError): void {
    this.flush();
    this.#write(deliveryId, deliveryId, (out) => {
      out.descriptor(OUTCOME.rejected);
      const rejected = out.openList();
      out.descriptor(0x1d);
      const list = out.openList();
      out.symbol(error.condition);
      out.string(error.description);
      out.close(list, 2);
      out.close(rejected, 1);
    });
  }

  flush(): void {
    if (this.#count === 0) return;
    const last = (this.#first + this.#count - 1) >>> 0;
    this.#count = 0;
    this.#write(this.#first, last, (out) => {
      out.descriptor(OUTCOME.accepted);
      out.emptyList();
    });
  }

  #write(first: number, last: number, state: (out: Writer) => void): void {
    const { out } = this.#wire;
    const at = openFrame(out, this.#channel, PERFORMATIVE.disposition);
    const list = out.openList();
    out.boolean(this.#receiving);
    out.uint(first);
    out.uint(last);
    out.boolean(true);
    state(out);
    out.close(list, 5);
    out.patchUint32(at, out.length - at);
    this.#wire.flushSoon();
  }
}
