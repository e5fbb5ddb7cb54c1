import { ProtocolError } from './error.ts';

/** Links that one connection may hold: clients of the vendor open one for each receiver, sender and `$management`. */
const MAX_LINKS = 20_000;
/** Before it was granted anything: `$cbs`, and what is refused. */
const MAX_STRANGER_LINKS = 200;
/** Bytes of messages that have begun and not ended: beside one of the largest, many of the usual. */
const MIN_BEGUN_BYTES = 67_108_864;
/** Before it was granted anything: tokens. */
const MAX_STRANGER_BYTES = 262_144;

/** What one connection may hold on to. Whoever was granted nothing may hold little: strangers come in any number. */
export class Budget {
  readonly #isStranger: () => boolean;
  readonly #maxBytes: number;
  #links = 0;
  #bytes = 0;

  constructor(maxMessageBytes: number, isStranger: () => boolean) {
    this.#isStranger = isStranger;
    this.#maxBytes = Math.max(MIN_BEGUN_BYTES, maxMessageBytes * 2);
  }

  /** @throws ProtocolError */
  takeLink(): void {
    const most = this.#isStranger() ? MAX_STRANGER_LINKS : MAX_LINKS;
    if (this.#links >= most) throw exceeded(`A connection holds ${most} links at most`);
    this.#links++;
  }

  giveLink(): void {
    this.#links--;
  }

  /** @throws ProtocolError */
  takeBytes(bytes: number): void {
    const most = this.#isStranger() ? MAX_STRANGER_BYTES : this.#maxBytes;
    if (this.#bytes + bytes > most) throw exceeded(`Messages that have not ended may hold ${most} bytes at most`);
    this.#bytes += bytes;
  }

  giveBytes(bytes: number): void {
    this.#bytes -= bytes;
  }
}

function exceeded(message: string): ProtocolError {
  return new ProtocolError('amqp:resource-limit-exceeded', message);
}
