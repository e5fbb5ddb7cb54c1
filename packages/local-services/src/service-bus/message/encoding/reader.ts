import { BrokerError } from '../../broker/error.ts';
import { TimeSpan, Uuid } from '../../rules/index.ts';
import { readDecimal } from './decimal.ts';
import { type AmqpValue, CODE, Described, TIME_SPAN } from './value.ts';

/** Deepest nesting of lists, maps and described values that is read: bytes come from strangers. */
export const MAX_DEPTH = 32;
/** Longest array whose elements take no bytes at all: many of them in one message must not become much more than it. */
const MAX_EMPTY_ELEMENTS = 16;
const KNOWN_CODES: ReadonlySet<number> = new Set(Object.values(CODE));

/** @throws BrokerError `amqp:decode-error` */
export function decodeError(message: string): never {
  throw new BrokerError('amqp:decode-error', message);
}

function unknownCode(code: number): never {
  return decodeError(`0x${code.toString(16)} is not an AMQP type`);
}

function oddMap(): never {
  return decodeError('a map with a key and no value');
}

/** Reads AMQP values one after the other. Every method throws `amqp:decode-error` where the bytes do not hold what it reads. */
export class Reader {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** Moves past so many bytes, and says where they began. */
  take(length: number): number {
    const at = this.at;
    if (length > this.end - at) decodeError('the bytes end within a value');
    this.at = at + length;
    return at;
  }

  byte(): number {
    return this.bytes[this.take(1)]!;
  }

  #uint32(): number {
    return this.bytes.readUInt32BE(this.take(4));
  }

  /** Moves past the next value without reading what is in it. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) decodeError('values are nested too deeply');
    const code = this.byte();
    if (code === CODE.described) {
      this.skip(depth + 1);
      this.skip(depth + 1);
    } else this.take(this.#width(code));
  }

  /** Moves past the next value and makes sure that all of it can be read. */
  check(depth = 0): void {
    if (depth > MAX_DEPTH) decodeError('values are nested too deeply');
    const code = this.byte();
    if (code === CODE.described) {
      this.check(depth + 1);
      this.check(depth + 1);
    } else if (code === CODE.list8 || code === CODE.list32 || code === CODE.map8 || code === CODE.map32) {
      const fields = this.#enter(code === CODE.list32 || code === CODE.map32);
      if ((code === CODE.map8 || code === CODE.map32) && fields.left % 2 !== 0) oddMap();
      while (fields.more()) fields.check(depth + 1);
    } else if (code === CODE.array8 || code === CODE.array32) {
      this.#array(code === CODE.array32, depth);
    } else if (code === CODE.char) {
      this.at--;
      this.value();
    } else if (KNOWN_CODES.has(code)) this.take(this.#width(code));
    else unknownCode(code);
  }

  /** The bytes that follow a format code, its own length among them. */
  #width(code: number): number {
    switch (code >>> 4) {
      case 0x4:
        return 0;
      case 0x5:
        return 1;
      case 0x6:
        return 2;
      case 0x7:
        return 4;
      case 0x8:
        return 8;
      case 0x9:
        return 16;
      case 0xa:
      case 0xc:
      case 0xe:
        return this.byte();
      case 0xb:
      case 0xd:
      case 0xf:
        return this.#uint32();
      default:
        return unknownCode(code);
    }
  }

  /** Enters a list: its fields follow. @returns how many, and a reader of them alone */
  list(): Fields {
    const code = this.byte();
    if (code === CODE.list0) return new Fields(this.bytes, this.at, this.at, 0);
    if (code !== CODE.list8 && code !== CODE.list32) decodeError(`expected a list and found 0x${code.toString(16)}`);
    return this.#enter(code === CODE.list32);
  }

  /** Enters a map: keys and values follow in turn. */
  map(): Fields {
    const code = this.byte();
    if (code !== CODE.map8 && code !== CODE.map32) decodeError(`expected a map and found 0x${code.toString(16)}`);
    const fields = this.#enter(code === CODE.map32);
    if (fields.left % 2 !== 0) oddMap();
    return fields;
  }

  #enter(wide: boolean): Fields {
    const size = wide ? this.#uint32() : this.byte();
    const end = this.take(size) + size;
    if (size < (wide ? 4 : 1)) decodeError('a list or map shorter than its own count');
    const count = wide ? this.bytes.readUInt32BE(end - size) : this.bytes[end - size]!;
    // Each field takes a byte at least.
    const start = end - size + (wide ? 4 : 1);
    if (count > end - start) decodeError('a list or map that counts more than it holds');
    return new Fields(this.bytes, start, end, count);
  }

  value(depth = 0): AmqpValue {
    return this.#valueOf(this.byte(), depth);
  }

  #valueOf(code: number, depth: number): AmqpValue {
    if (depth > MAX_DEPTH) decodeError('values are nested too deeply');
    const { bytes } = this;
    switch (code) {
      case CODE.described: {
        const descriptor = this.value(depth + 1);
        const value = this.value(depth + 1);
        if (descriptor === TIME_SPAN && typeof value === 'bigint') return new TimeSpan(value);
        return new Described(descriptor, value);
      }
      case CODE.null:
        return null;
      case CODE.true:
        return true;
      case CODE.false:
        return false;
      case CODE.boolean:
        return this.byte() !== 0;
      case CODE.uint0:
      case CODE.ulong0:
        return 0n;
      case CODE.ubyte:
      case CODE.smallUint:
      case CODE.smallUlong:
        return BigInt(this.byte());
      case CODE.byte:
      case CODE.smallInt:
      case CODE.smallLong:
        return BigInt(bytes.readInt8(this.take(1)));
      case CODE.ushort:
        return BigInt(bytes.readUInt16BE(this.take(2)));
      case CODE.short:
        return BigInt(bytes.readInt16BE(this.take(2)));
      case CODE.uint:
        return BigInt(this.#uint32());
      case CODE.int:
        return BigInt(bytes.readInt32BE(this.take(4)));
      case CODE.ulong:
        return bytes.readBigUInt64BE(this.take(8));
      case CODE.long:
        return bytes.readBigInt64BE(this.take(8));
      case CODE.float:
        return bytes.readFloatBE(this.take(4));
      case CODE.double:
        return bytes.readDoubleBE(this.take(8));
      case CODE.char: {
        const point = this.#uint32();
        return point <= 0x10ffff ? String.fromCodePoint(point) : decodeError('a char beyond Unicode');
      }
      case CODE.timestamp:
        return new Date(clampTime(bytes.readBigInt64BE(this.take(8))));
      case CODE.decimal32:
        return readDecimal(this.#slice(4));
      case CODE.decimal64:
        return readDecimal(this.#slice(8));
      case CODE.decimal128:
        return readDecimal(this.#slice(16));
      case CODE.uuid:
        return new Uuid(uuidText(bytes, this.take(16)));
      case CODE.binary8:
        return this.#slice(this.byte());
      case CODE.binary32:
        return this.#slice(this.#uint32());
      case CODE.string8:
      case CODE.symbol8:
        return this.#text(this.byte());
      case CODE.string32:
      case CODE.symbol32:
        return this.#text(this.#uint32());
      case CODE.list0:
        return [];
      case CODE.list8:
      case CODE.list32: {
        const fields = this.#enter(code === CODE.list32);
        const items: AmqpValue[] = [];
        while (fields.more()) items.push(fields.value(depth + 1));
        return items;
      }
      case CODE.map8:
      case CODE.map32: {
        const fields = this.#enter(code === CODE.map32);
        if (fields.left % 2 !== 0) oddMap();
        const map = new Map<AmqpValue, AmqpValue>();
        while (fields.more()) {
          const key = fields.value(depth + 1);
          fields.more();
          map.set(key, fields.value(depth + 1));
        }
        return map;
      }
      case CODE.array8:
      case CODE.array32:
        return this.#array(code === CODE.array32, depth);
      default:
        return unknownCode(code);
    }
  }

  #array(wide: boolean, depth: number): AmqpValue {
    const size = wide ? this.#uint32() : this.byte();
    const start = this.take(size);
    const inner = new Reader(this.bytes, start, start + size);
    const count = wide ? inner.#uint32() : inner.byte();
    let code = inner.byte();
    let descriptor: AmqpValue | undefined;
    if (code === CODE.described) {
      descriptor = inner.value(depth + 1);
      code = inner.byte();
    }
    const empty = code >>> 4 === 0x4;
    if (count > (empty ? MAX_EMPTY_ELEMENTS : inner.end - inner.at))
      decodeError('an array that counts more than it holds');
    const items: AmqpValue[] = [];
    for (let i = 0; i < count; i++) {
      const item = inner.#valueOf(code, depth + 1);
      items.push(descriptor === undefined ? item : new Described(descriptor, item));
    }
    return items;
  }

  #slice(length: number): Buffer {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  #text(length: number): string {
    const at = this.take(length);
    return this.bytes.toString('utf8', at, at + length);
  }
}

/**
 * The fields of a list or map, read in order. Those that are null or that the list leaves out are undefined, as
 * composite types want it.
 */
export class Fields extends Reader {
  /** Fields not read yet. */
  left: number;

  constructor(bytes: Buffer, at: number, end: number, count: number) {
    super(bytes, at, end);
    this.left = count;
  }

  /** Is there another one? Then it counts as read: read it. */
  more(): boolean {
    if (this.left === 0) return false;
    this.left--;
    return true;
  }

  /** The next field where it is there and not null. */
  #present(): boolean {
    if (!this.more()) return false;
    if (this.at < this.end && this.bytes[this.at] === CODE.null) {
      this.at++;
      return false;
    }
    return true;
  }

  /** Moves past so many fields. */
  pass(count = 1): void {
    for (let i = 0; i < count && this.more(); i++) this.skip();
  }

  /** A ubyte, ushort, uint or ulong. @throws amqp:decode-error beyond 2^53 */
  uint(): number | undefined {
    if (!this.#present()) return undefined;
    const code = this.byte();
    switch (code) {
      case CODE.uint0:
      case CODE.ulong0:
        return 0;
      case CODE.ubyte:
      case CODE.smallUint:
      case CODE.smallUlong:
        return this.byte();
      case CODE.ushort:
        return this.bytes.readUInt16BE(this.take(2));
      case CODE.uint:
        return this.bytes.readUInt32BE(this.take(4));
      case CODE.ulong: {
        const value = Number(this.bytes.readBigUInt64BE(this.take(8)));
        return Number.isSafeInteger(value) ? value : Number.MAX_SAFE_INTEGER;
      }
      default:
        return decodeError(`expected an unsigned number and found 0x${code.toString(16)}`);
    }
  }

  boolean(): boolean | undefined {
    if (!this.#present()) return undefined;
    const code = this.byte();
    if (code === CODE.true) return true;
    if (code === CODE.false) return false;
    return code === CODE.boolean ? this.byte() !== 0 : decodeError('expected a boolean');
  }

  /** A string or a symbol. */
  text(): string | undefined {
    if (!this.#present()) return undefined;
    const value = this.value();
    return typeof value === 'string' ? value : decodeError('expected a string');
  }

  binary(): Buffer | undefined {
    if (!this.#present()) return undefined;
    const value = this.value();
    return Buffer.isBuffer(value) ? value : decodeError('expected binary');
  }

  /** Any value; null and missing are undefined. */
  any(): Exclude<AmqpValue, null> | undefined {
    if (!this.#present()) return undefined;
    return this.value() ?? undefined;
  }

  /** The bytes of the next field as they are; undefined where it is null or missing. */
  raw(): Buffer | undefined {
    if (!this.#present()) return undefined;
    const at = this.at;
    this.skip();
    return this.bytes.subarray(at, this.at);
  }
}

/** 8-4-4-4-12 in lower case. */
export function uuidText(bytes: Buffer, at = 0): string {
  const hex = bytes.toString('hex', at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The first and last ms that a Date can hold. */
const MAX_TIME = 8_640_000_000_000_000;

/** Times beyond what a Date holds become its first or last: .NET's DateTime.MaxValue fits, hostile ones need not. */
function clampTime(ms: bigint): number {
  return Math.max(-MAX_TIME, Math.min(MAX_TIME, Number(ms)));
}
