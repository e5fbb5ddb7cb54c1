/** Property names and constant texts that are remembered as bytes. */
const MAX_REMEMBERED = 256;
/** Up to here a text is written character by character, which costs less than a call into Node. */
const SHORT_TEXT = 48;

/**
 * Writes AMQP 1.0 values one after another into a buffer that grows.
 * @see OASIS AMQP 1.0, part 1, section 1.6
 */
export class AmqpWriter {
  #buffer: Buffer;
  #at = 0;

  /** @param bytes that are expected */
  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(bytes);
  }

  get length(): number {
    return this.#at;
  }

  /** Forgets what was written after `length`. */
  cut(length: number): void {
    this.#at = length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  /** The descriptor of a section: a number below 256. */
  section(descriptor: number): void {
    this.#room(3);
    this.#buffer[this.#at++] = 0x00;
    this.#buffer[this.#at++] = 0x53;
    this.#buffer[this.#at++] = descriptor;
  }

  /** @returns what {@link end} is to be told */
  beginList(count: number): number {
    return this.#begin(0xd0, count);
  }

  /** @param count of keys and values together */
  beginMap(count: number): number {
    return this.#begin(0xd1, count);
  }

  #begin(code: number, count: number): number {
    this.#room(9);
    this.#buffer[this.#at] = code;
    const start = this.#at + 1;
    this.#at += 5;
    this.#uint32(count);
    return start;
  }

  /** Binary whose bytes follow and end with {@link end}. */
  beginBinary(): number {
    this.#room(5);
    this.#buffer[this.#at] = 0xb0;
    const start = this.#at + 1;
    this.#at += 5;
    return start;
  }

  end(start: number): void {
    const after = this.#at;
    this.#at = start;
    this.#uint32(after - start - 4);
    this.#at = after;
  }

  null(): void {
    this.#room(1);
    this.#buffer[this.#at++] = 0x40;
  }

  boolean(value: boolean): void {
    this.#room(1);
    this.#buffer[this.#at++] = value ? 0x41 : 0x42;
  }

  uint(value: number): void {
    this.#room(5);
    this.#buffer[this.#at++] = 0x70;
    this.#uint32(value);
  }

  int(value: number): void {
    this.#room(5);
    this.#buffer[this.#at++] = 0x71;
    this.#uint32(value);
  }

  double(value: number): void {
    this.#room(9);
    this.#buffer[this.#at++] = 0x82;
    this.#at = this.#buffer.writeDoubleBE(value, this.#at);
  }

  string(text: string): void {
    this.#text(text, 0xa1, 0xb1);
  }

  symbol(text: string): void {
    this.#text(text, 0xa3, 0xb3);
  }

  binary(bytes: Uint8Array): void {
    this.#room(5 + bytes.byteLength);
    this.#buffer[this.#at++] = 0xb0;
    this.#uint32(bytes.byteLength);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  /** A string that is written again and again. */
  name(text: string): void {
    const bytes = names.get(text);
    if (bytes === undefined) {
      const start = this.#at;
      this.string(text);
      if (names.size < MAX_REMEMBERED) names.set(text, Buffer.from(this.#buffer.subarray(start, this.#at)));
      return;
    }
    this.#room(bytes.length);
    const buffer = this.#buffer;
    let at = this.#at;
    for (let from = 0; from < bytes.length; from++) buffer[at++] = bytes[from] as number;
    this.#at = at;
  }

  #text(text: string, short: number, long: number): void {
    this.#room(5 + text.length * 3);
    if (text.length <= SHORT_TEXT && this.#ascii(text, short)) return;
    const bytes = text.length * 3 <= 0xff ? text.length * 3 : Buffer.byteLength(text);
    if (bytes <= 0xff) {
      const written = this.#buffer.write(text, this.#at + 2, 'utf8');
      this.#buffer[this.#at] = short;
      this.#buffer[this.#at + 1] = written;
      this.#at += 2 + written;
      return;
    }
    this.#buffer[this.#at++] = long;
    this.#uint32(bytes);
    this.#at += this.#buffer.write(text, this.#at, 'utf8');
  }

  /** @returns false, and nothing is written, for a text with other characters */
  #ascii(text: string, code: number): boolean {
    const buffer = this.#buffer;
    let at = this.#at + 2;
    for (let from = 0; from < text.length; from++) {
      const character = text.charCodeAt(from);
      if (character > 0x7f) return false;
      buffer[at++] = character;
    }
    buffer[this.#at] = code;
    buffer[this.#at + 1] = text.length;
    this.#at = at;
    return true;
  }

  #uint32(value: number): void {
    const buffer = this.#buffer;
    buffer[this.#at++] = value >>> 24;
    buffer[this.#at++] = value >>> 16;
    buffer[this.#at++] = value >>> 8;
    buffer[this.#at++] = value;
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

const names = new Map<string, Buffer>();
