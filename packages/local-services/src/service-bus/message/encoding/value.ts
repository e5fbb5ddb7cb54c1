import type { PropertyValue } from '../../rules/index.ts';

/** Any AMQP value as it is read: symbols are strings, integral types bigint, lists and arrays are arrays. */
export type AmqpValue = PropertyValue | readonly AmqpValue[] | AmqpMap | Described;

export type AmqpMap = ReadonlyMap<AmqpValue, AmqpValue>;

export class Described {
  /** A ulong, or a symbol. */
  readonly descriptor: AmqpValue;
  readonly value: AmqpValue;

  constructor(descriptor: AmqpValue, value: AmqpValue) {
    this.descriptor = descriptor;
    this.value = value;
  }
}

/** Format codes of AMQP 1.0 part 1, section 1.6, those that code names. */
export const CODE = {
  described: 0x00,
  null: 0x40,
  true: 0x41,
  false: 0x42,
  uint0: 0x43,
  ulong0: 0x44,
  list0: 0x45,
  ubyte: 0x50,
  byte: 0x51,
  smallUint: 0x52,
  smallUlong: 0x53,
  smallInt: 0x54,
  smallLong: 0x55,
  boolean: 0x56,
  ushort: 0x60,
  short: 0x61,
  uint: 0x70,
  int: 0x71,
  float: 0x72,
  char: 0x73,
  decimal32: 0x74,
  ulong: 0x80,
  long: 0x81,
  double: 0x82,
  timestamp: 0x83,
  decimal64: 0x84,
  decimal128: 0x94,
  uuid: 0x98,
  binary8: 0xa0,
  string8: 0xa1,
  symbol8: 0xa3,
  binary32: 0xb0,
  string32: 0xb1,
  symbol32: 0xb3,
  list8: 0xc0,
  map8: 0xc1,
  list32: 0xd0,
  map32: 0xd1,
  array8: 0xe0,
  array32: 0xf0,
} as const;

/** Descriptor of a duration, in ticks of 100 ns: a type of the service's own. */
export const TIME_SPAN = 'com.microsoft:timespan';
