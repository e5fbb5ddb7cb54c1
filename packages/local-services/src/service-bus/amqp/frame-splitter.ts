import { Reader } from '../message/encoding/reader.ts';
import { ProtocolError } from './error.ts';

/** Size, offset of data, type, channel. */
const FRAME_HEADER_BYTES = 8;
/** `AMQP` and four numbers: where a layer begins. */
const PROTOCOL_HEADER_BYTES = 8;
const PROTOCOL = 0x414d5150;

/** Frame types. */
export const FRAME_AMQP = 0x00;
export const FRAME_SASL = 0x01;

/** One protocol header or one frame, complete and checked: what is in it can be read. */
export interface Unit {
  readonly bytes: Buffer;
  /** Undefined: a protocol header. */
  readonly type: number | undefined;
  readonly channel: number;
  /** Descriptor of the performative; 0: an empty frame. */
  readonly performative: number;
  /** Where the performative's list begins, and where it ends: there the payload begins. */
  readonly listAt: number;
  readonly payloadAt: number;
}

/** Cuts what comes off the wire into frames, before anything else looks at it: bounded sizes, and bytes that can be decoded. */
export class FrameSplitter {
  readonly #maxFrameBytes: number;
  #chunks: Buffer[] = [];
  #length = 0;
  /** Bytes of the unit that has begun; 0: not known yet. */
  #wanted = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next complete unit; undefined: more bytes are needed. @throws ProtocolError BrokerError `amqp:decode-error` */
  next(): Unit | undefined {
    if (this.#wanted === 0) {
      if (this.#length < FRAME_HEADER_BYTES) return undefined;
      const size = this.#joined(FRAME_HEADER_BYTES).readUInt32BE(0);
      if (size === PROTOCOL) this.#wanted = PROTOCOL_HEADER_BYTES;
      else if (size < FRAME_HEADER_BYTES || size > this.#maxFrameBytes) {
        throw new ProtocolError(
          'amqp:connection:framing-error',
          `A frame of ${size} bytes; frames have ${FRAME_HEADER_BYTES} to ${this.#maxFrameBytes}`,
        );
      } else this.#wanted = size;
    }
    if (this.#length < this.#wanted) return undefined;
    const first = this.#joined(this.#wanted);
    const bytes = first.subarray(0, this.#wanted);
    if (first.length === this.#wanted) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(this.#wanted);
    this.#length -= this.#wanted;
    this.#wanted = 0;
    return unitOf(bytes);
  }

  /** The first chunk, with so many bytes at least. */
  #joined(bytes: number): Buffer {
    if (this.#chunks[0]!.length < bytes) this.#chunks = [Buffer.concat(this.#chunks, this.#length)];
    return this.#chunks[0]!;
  }
}

function unitOf(bytes: Buffer): Unit {
  if (bytes.readUInt32BE(0) === PROTOCOL) {
    return { bytes, type: undefined, channel: 0, performative: 0, listAt: 0, payloadAt: 0 };
  }
  const start = bytes[4]! * 4;
  if (start < FRAME_HEADER_BYTES || start > bytes.length) {
    throw new ProtocolError('amqp:connection:framing-error', `A frame whose data begins at ${start}`);
  }
  const type = bytes[5]!;
  if (type !== FRAME_AMQP && type !== FRAME_SASL) {
    throw new ProtocolError('amqp:connection:framing-error', `A frame of type ${type}`);
  }
  const channel = bytes.readUInt16BE(6);
  if (start === bytes.length) return { bytes, type, channel, performative: 0, listAt: start, payloadAt: start };
  const reader = new Reader(bytes, start);
  if (reader.byte() !== 0) throw new ProtocolError('amqp:decode-error', 'A frame without a performative');
  const descriptor = reader.value();
  const performative = typeof descriptor === 'bigint' ? Number(descriptor) : (SYMBOLS.get(descriptor) ?? 0);
  if (!PERFORMATIVES[type]!.has(performative)) {
    throw new ProtocolError('amqp:not-implemented', 'A frame with an unknown performative');
  }
  const listAt = reader.at;
  const code = bytes[listAt];
  if (code !== 0x45 && code !== 0xc0 && code !== 0xd0) {
    throw new ProtocolError('amqp:decode-error', 'A performative that is not a list');
  }
  reader.check();
  return { bytes, type, channel, performative, listAt, payloadAt: reader.at };
}

export const PERFORMATIVE = {
  open: 0x10,
  begin: 0x11,
  attach: 0x12,
  flow: 0x13,
  transfer: 0x14,
  disposition: 0x15,
  detach: 0x16,
  end: 0x17,
  close: 0x18,
  saslMechanisms: 0x40,
  saslInit: 0x41,
  saslResponse: 0x43,
  saslOutcome: 0x44,
} as const;

/** Those that a client sends. */
const PERFORMATIVES: Readonly<Record<number, ReadonlySet<number>>> = {
  [FRAME_AMQP]: new Set([0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]),
  [FRAME_SASL]: new Set([PERFORMATIVE.saslInit, PERFORMATIVE.saslResponse]),
};

const SYMBOLS: ReadonlyMap<unknown, number> = new Map([
  ['amqp:open:list', PERFORMATIVE.open],
  ['amqp:begin:list', PERFORMATIVE.begin],
  ['amqp:attach:list', PERFORMATIVE.attach],
  ['amqp:flow:list', PERFORMATIVE.flow],
  ['amqp:transfer:list', PERFORMATIVE.transfer],
  ['amqp:disposition:list', PERFORMATIVE.disposition],
  ['amqp:detach:list', PERFORMATIVE.detach],
  ['amqp:end:list', PERFORMATIVE.end],
  ['amqp:close:list', PERFORMATIVE.close],
  ['amqp:sasl-init:list', PERFORMATIVE.saslInit],
  ['amqp:sasl-response:list', PERFORMATIVE.saslResponse],
]);
