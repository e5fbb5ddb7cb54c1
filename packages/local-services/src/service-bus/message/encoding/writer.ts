import { TimeSpan, Uuid } from '../../rules/index.ts';
import { type AmqpValue, CODE, Described, TIME_SPAN } from './value.ts';

const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;

/** Writes AMQP values one after the other into a buffer that grows. */
export class Writer {
  #bytes: Buffer;
  #at = 0;

  constructor(capacity = 512) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#at;
  }

  /** What was written since the last time; the writer starts anew, in a buffer of its own. */
  takeBytes(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#at);
    this.#bytes = Buffer.allocUnsafe(Math.min(65_536, Math.max(512, this.#at)));
    this.#at = 0;
    return bytes;
  }

  /** A copy of what was written, in as many bytes. The writer starts anew. */
  copyBytes(): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return bytes;
  }

  /** Makes room and says where it begins. */
  #room(length: number): number {
    const at = this.#at;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, needed));
      this.#bytes.copy(grown, 0, 0, at);
      this.#bytes = grown;
    }
    this.#at = needed;
    return at;
  }

  byte(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  uint32(value: number): void {
    const at = this.#room(4);
    this.#bytes.writeUInt32BE(value, at);
  }

  uint16(value: number): void {
    const at = this.#room(2);
    this.#bytes.writeUInt16BE(value, at);
  }

  /** Overwrites four bytes written before. */
  patchUint32(at: number, value: number): void {
    this.#bytes.writeUInt32BE(value, at);
  }

  raw(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const at = this.#room(end - start);
    if (Buffer.isBuffer(bytes)) bytes.copy(this.#bytes, at, start, end);
    else this.#bytes.set(bytes.subarray(start, end), at);
  }

  /** What describes the value that follows. */
  descriptor(code: number): void {
    this.byte(CODE.described);
    this.ulong(code);
  }

  null(): void {
    this.byte(CODE.null);
  }

  boolean(value: boolean): void {
    this.byte(value ? CODE.true : CODE.false);
  }

  ubyte(value: number): void {
    this.byte(CODE.ubyte);
    this.byte(value);
  }

  ushort(value: number): void {
    this.byte(CODE.ushort);
    this.uint16(value);
  }

  uint(value: number): void {
    if (value === 0) this.byte(CODE.uint0);
    else if (value < 256) {
      this.byte(CODE.smallUint);
      this.byte(value);
    } else {
      this.byte(CODE.uint);
      this.uint32(value);
    }
  }

  ulong(value: number | bigint): void {
    if (value >= 0 && value < 256) {
      this.byte(CODE.smallUlong);
      this.byte(Number(value));
      return;
    }
    this.byte(CODE.ulong);
    const at = this.#room(8);
    this.#bytes.writeBigUInt64BE(BigInt(value), at);
  }

  int(value: number): void {
    this.byte(CODE.int);
    const at = this.#room(4);
    this.#bytes.writeInt32BE(value, at);
  }

  long(value: number | bigint): void {
    this.byte(CODE.long);
    this.int64(value);
  }

  /** Without a format code: an element of an array, or of a timestamp. */
  int64(value: number | bigint): void {
    const at = this.#room(8);
    if (typeof value === 'bigint') this.#bytes.writeBigInt64BE(value, at);
    else {
      this.#bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
      this.#bytes.writeUInt32BE(
        value % 0x1_0000_0000 < 0 ? (value % 0x1_0000_0000) + 0x1_0000_0000 : value % 0x1_0000_0000,
        at + 4,
      );
    }
  }

  double(value: number): void {
    this.byte(CODE.double);
    const at = this.#room(8);
    this.#bytes.writeDoubleBE(value, at);
  }

  /** @param value epoch ms */
  timestamp(value: number): void {
    this.byte(CODE.timestamp);
    this.int64(value);
  }

  uuid(text: string): void {
    this.byte(CODE.uuid);
    this.raw(Buffer.from(text.replaceAll('-', ''), 'hex'));
  }

  binary(value: Uint8Array): void {
    if (value.length < 256) {
      this.byte(CODE.binary8);
      this.byte(value.length);
    } else {
      this.byte(CODE.binary32);
      this.uint32(value.length);
    }
    this.raw(value);
  }

  string(value: string): void {
    this.#text(value, CODE.string8, CODE.string32);
  }

  symbol(value: string): void {
    this.#text(value, CODE.symbol8, CODE.symbol32);
  }

  #text(value: string, short: number, long: number): void {
    const length = Buffer.byteLength(value);
    if (length < 256) {
      this.byte(short);
      this.byte(length);
    } else {
      this.byte(long);
      this.uint32(length);
    }
    const at = this.#room(length);
    this.#bytes.write(value, at, length, 'utf8');
  }

  /** Opens a list: write its fields, then `close` it with their count. */
  openList(): number {
    return this.#open(CODE.list32);
  }

  emptyList(): void {
    this.byte(CODE.list0);
  }

  /** Opens a map: keys and values in turn; the count is of both. */
  openMap(): number {
    return this.#open(CODE.map32);
  }

  #open(code: number): number {
    this.byte(code);
    return this.#room(8);
  }

  close(opened: number, count: number): void {
    this.patchUint32(opened, this.#at - opened - 4);
    this.patchUint32(opened + 4, count);
  }

  /** An array: `write` writes each element without its format code. */
  array<T>(code: number, items: readonly T[], write: (item: T) => void): void {
    const opened = this.#open(CODE.array32);
    this.byte(code);
    for (const item of items) write(item);
    this.close(opened, items.length);
  }

  /** Any value, by the type that the service uses for it: bigint as long, number as double, text as string. */
  value(value: AmqpValue): void {
    if (value === null) this.null();
    else if (typeof value === 'string') this.string(value);
    else if (typeof value === 'boolean') this.boolean(value);
    else if (typeof value === 'bigint') value > MAX_INT64 ? this.ulong(value) : this.long(value);
    else if (typeof value === 'number') this.double(value);
    else if (value instanceof Date) this.timestamp(value.getTime());
    else if (value instanceof Uuid) this.uuid(value.text);
    else if (value instanceof Uint8Array) this.binary(value);
    else if (value instanceof TimeSpan) {
      this.byte(CODE.described);
      this.symbol(TIME_SPAN);
      this.long(value.ticks);
    } else if (value instanceof Described) {
      this.byte(CODE.described);
      typeof value.descriptor === 'bigint' ? this.ulong(value.descriptor) : this.value(value.descriptor);
      this.value(value.value);
    } else if (value instanceof Map) {
      const opened = this.openMap();
      for (const [key, item] of value) {
        this.value(key);
        this.value(item);
      }
      this.close(opened, value.size * 2);
    } else {
      const opened = this.openList();
      const items = value as readonly AmqpValue[];
      for (const item of items) this.value(item);
      this.close(opened, items.length);
    }
  }
}
