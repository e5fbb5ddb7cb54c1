import { Reader } from '../message/encoding/reader.ts';
import { CODE } from '../message/encoding/value.ts';
import type { Writer } from '../message/encoding/writer.ts';
import { ProtocolError } from './error.ts';
import { FRAME_SASL, PERFORMATIVE, type Unit } from './frame-splitter.ts';
import { openFrame } from './outgoing-transfers.ts';

/** `AMQP`, the protocol id of SASL, version 1.0.0 */
export const SASL_HEADER = Buffer.from('AMQP\x03\x01\x00\x00', 'latin1');

const MECHANISMS = ['MSSBCBS', 'PLAIN', 'ANONYMOUS'] as const;
/** Outcome codes (AMQP 1.0 part 5, section 5.3.3.6). */
const OK = 0;
const AUTH = 1;

/** @returns whether the password is the user's */
export type CheckPassword = (user: string, password: string) => boolean;

/** The SASL layer at the beginning of a connection: one init, one outcome. */
export class SaslLayer {
  readonly #out: Writer;
  readonly #checkPassword: CheckPassword;

  /** Offers the mechanisms at once. */
  constructor(out: Writer, checkPassword: CheckPassword) {
    this.#out = out;
    this.#checkPassword = checkPassword;
    out.raw(SASL_HEADER);
    this.#frame(PERFORMATIVE.saslMechanisms, 1, () => {
      out.array(CODE.symbol8, MECHANISMS, (name) => {
        out.byte(name.length);
        out.raw(Buffer.from(name));
      });
    });
  }

  /**
   * Takes what the client answers.
   * @returns whether AMQP follows; otherwise the client is refused, and the connection must end
   * @throws ProtocolError BrokerError `amqp:decode-error` for what is not a SASL init
   */
  take({ type, performative, bytes, listAt }: Unit): boolean {
    if (type !== FRAME_SASL || performative !== PERFORMATIVE.saslInit) {
      throw new ProtocolError('amqp:not-allowed', 'A SASL init is expected');
    }
    const fields = new Reader(bytes, listAt).list();
    const passes = this.#passes(fields.text(), fields.binary());
    this.#frame(PERFORMATIVE.saslOutcome, 1, () => this.#out.ubyte(passes ? OK : AUTH));
    return passes;
  }

  #passes(mechanism: string | undefined, response: Buffer | undefined): boolean {
    if (mechanism === 'MSSBCBS' || mechanism === 'ANONYMOUS') return true;
    if (mechanism !== 'PLAIN' || response === undefined) return false;
    const [, user, password, ...more] = response.toString('utf8').split('\0');
    return user !== undefined && password !== undefined && more.length === 0 && this.#checkPassword(user, password);
  }

  #frame(performative: number, count: number, write: () => void): void {
    const out = this.#out;
    const at = openFrame(out, 0, performative, FRAME_SASL);
    const list = out.openList();
    write();
    out.close(list, count);
    out.patchUint32(at, out.length - at);
  }
}
