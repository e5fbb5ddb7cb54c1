/** What an AMQP frame is for. */
export type Performative =
  | 'header'
  | 'sasl'
  | 'empty'
  | 'open'
  | 'begin'
  | 'attach'
  | 'flow'
  | 'transfer'
  | 'disposition'
  | 'detach'
  | 'end'
  | 'close';

/** One frame on its way, or one of the protocol headers before them. */
export interface Frame {
  /** `up`: from the client to the service. */
  readonly way: 'up' | 'down';
  readonly performative: Performative;
  readonly bytes: Buffer;
  /** Is the text in it? Addresses and operations are. */
  says(text: string): boolean;
}

/** Descriptors 0x10 to 0x18 of the specification, part 2.7. */
const PERFORMATIVES: readonly Performative[] = [
  'open',
  'begin',
  'attach',
  'flow',
  'transfer',
  'disposition',
  'detach',
  'end',
  'close',
];
const HEADER_BYTES = 8;
const SASL_FRAME = 1;

/** Cuts one direction of a connection into frames, as far as a test must know them. */
export class FrameReader {
  readonly #way: 'up' | 'down';
  #rest: Buffer = Buffer.alloc(0);

  constructor(way: 'up' | 'down') {
    this.#way = way;
  }

  /** @returns the frames that are complete now */
  read(chunk: Buffer): Frame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    while (this.#rest.length >= HEADER_BYTES) {
      const isHeader = this.#rest.toString('latin1', 0, 4) === 'AMQP';
      const size = isHeader ? HEADER_BYTES : this.#rest.readUInt32BE(0);
      if (this.#rest.length < size) break;
      const bytes = this.#rest.subarray(0, size);
      this.#rest = this.#rest.subarray(size);
      const performative = isHeader ? 'header' : performativeOf(bytes);
      frames.push({ way: this.#way, performative, bytes, says: (text) => bytes.includes(text) });
    }
    return frames;
  }
}

function performativeOf(bytes: Buffer): Performative {
  const at = bytes.readUInt8(4) * 4;
  if (bytes.readUInt8(5) === SASL_FRAME) return 'sasl';
  if (at >= bytes.length) return 'empty';
  // A described type by a small unsigned long: 0x00 0x53 code; some write the long one, 0x00 0x80 and eight bytes.
  const code = bytes[at + 1] === 0x53 ? bytes[at + 2] : bytes[at + 9];
  return PERFORMATIVES[(code ?? 0) - 0x10] ?? 'empty';
}

/** Does a transfer say that more of the same message follows? Field 6 of its list; absent: no. */
export function hasMore({ bytes }: Frame): boolean {
  const at = bytes.readUInt8(4) * 4;
  // Skips descriptor and list constructor, then handle, delivery-id, delivery-tag, message-format, settled.
  let cursor = at + (bytes[at + 1] === 0x53 ? 3 : 10);
  cursor += bytes[cursor] === 0xd0 ? 9 : 3;
  for (let field = 0; field < 5; field++) cursor += lengthOf(bytes, cursor);
  return bytes[cursor] === 0x41 || (bytes[cursor] === 0x56 && bytes[cursor + 1] === 1);
}

/** Of one primitive value with its constructor: the upper half of that says how wide it is. */
function lengthOf(bytes: Buffer, at: number): number {
  const code = bytes[at] ?? 0x40;
  switch (code >> 4) {
    case 0x5:
      return 2;
    case 0x6:
      return 3;
    case 0x7:
      return 5;
    case 0x8:
      return 9;
    case 0xa:
      return 2 + (bytes[at + 1] ?? 0);
    case 0xb:
      return 5 + bytes.readUInt32BE(at + 1);
    default:
      return 1;
  }
}
