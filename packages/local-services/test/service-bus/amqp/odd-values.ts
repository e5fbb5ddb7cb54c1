import fc from 'fast-check';

/** Encoded AMQP values: of every type, and such as no client would write. */
export interface OddValues {
  /** One that can be read. */
  readonly valid: fc.Arbitrary<Buffer>;
  /** One that perhaps cannot. */
  readonly odd: fc.Arbitrary<Buffer>;
}

const bytes = (...list: number[]) => Buffer.from(list);
const random = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((b) => Buffer.from(b));

/** Format codes by the bytes that follow them. */
const FIXED: readonly (readonly [width: number, codes: readonly number[]])[] = [
  [0, [0x40, 0x41, 0x42, 0x43, 0x44, 0x45]],
  [1, [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56]],
  [2, [0x60, 0x61]],
  [4, [0x70, 0x71, 0x72, 0x74]],
  [8, [0x80, 0x81, 0x82, 0x83, 0x84]],
  [16, [0x94, 0x98]],
];
const fixed = fc.oneof(
  ...FIXED.map(([width, codes]) => fc.tuple(fc.constantFrom(...codes), random(width)).map(([c, b]) => join(c, b))),
);
const sized = fc
  .tuple(fc.constantFrom(0xa0, 0xa1, 0xa3, 0xb0, 0xb1, 0xb3), fc.uint8Array({ maxLength: 300 }))
  .map(([code, content]) => ofSize(code, Buffer.from(content)));
/** Names that objects have without being given any. */
const telling = fc
  .constantFrom('__proto__', 'constructor', 'toString', 'then', 'q', '$cbs', '\0', '', '%', 'sb://', 'a'.repeat(70_000))
  .chain((name) => fc.constantFrom(0xb1, 0xb3, 0xb0).map((code) => ofSize(code, Buffer.from(name))));

const { value: valid } = fc.letrec<{ value: Buffer }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fixed,
    sized,
    telling,
    fc.array(tie('value'), { maxLength: 4 }).map((items) => compound(0xd0, items, items.length)),
    fc
      .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 })
      .map((pairs) => compound(0xd1, pairs.flat(), pairs.length * 2)),
    fc.tuple(tie('value'), tie('value')).map(([descriptor, item]) => Buffer.concat([bytes(0), descriptor, item])),
    fc.array(random(4), { maxLength: 3 }).map((items) => compound(0xf0, [bytes(0x71), ...items], items.length)),
  ),
}));

const HUGE = bytes(0xff, 0xff, 0xff, 0xff);
const broken = fc.oneof(
  // Codes that no type has, with the width of their row, or without.
  fc
    .tuple(
      fc.constantFrom(0x46, 0x4f, 0x57, 0x62, 0x75, 0x85, 0x95, 0xa2, 0xb2, 0xc2, 0xc7, 0xd2, 0xe1, 0xf1, 0xff),
      random(16),
    )
    .map(([code, junk]) => join(code, junk)),
  // A char beyond Unicode.
  fc.constant(bytes(0x73, 0xff, 0xff, 0xff, 0xff)),
  // More than there is.
  fc.constantFrom(0xb0, 0xb1, 0xb3, 0xd0, 0xd1, 0xf0).map((code) => Buffer.concat([bytes(code), HUGE, HUGE])),
  // A count and no items; a map of one.
  fc.constant(bytes(0xc0, 1, 200)),
  fc.constant(bytes(0xc1, 2, 1, 0x40)),
  // Arrays of nothing, by the million or in one another.
  fc.constantFrom(0xffff_ffff, 1_024, 17).map((count) => arrayOfNothing(count)),
  fc.constant(compound(0xd0, Array(2_000).fill(arrayOfNothing(1_000)), 2_000)),
  // Nested as deep as there is room.
  fc.constantFrom(10, 40, 5_000, 100_000).map((depth) => Buffer.alloc(depth)),
  fc.constantFrom(...[10, 40, 2_000].map((depth) => nested(depth))),
  fc.tuple(valid, fc.nat(20)).map(([item, cut]) => item.subarray(0, Math.max(0, item.length - cut))),
);

export const oddValues: OddValues = { valid, odd: fc.oneof(valid, broken) };

function join(code: number, rest: Buffer): Buffer {
  return Buffer.concat([bytes(code), rest]);
}

function ofSize(code: number, content: Buffer): Buffer {
  if (code < 0xb0) return Buffer.concat([bytes(code, content.length % 256), content.subarray(0, 255)]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(content.length);
  return Buffer.concat([bytes(code), size, content]);
}

/** A list, map or array with sizes of four bytes. */
export function compound(code: number, items: readonly Buffer[], count: number): Buffer {
  const content = Buffer.concat(items);
  const head = Buffer.alloc(9);
  head[0] = code;
  head.writeUInt32BE(content.length + 4, 1);
  head.writeUInt32BE(count, 5);
  return Buffer.concat([head, content]);
}

function nested(depth: number): Buffer {
  return Array.from({ length: depth }).reduce<Buffer>((inner) => compound(0xd0, [inner], 1), bytes(0x45));
}

function arrayOfNothing(count: number): Buffer {
  return compound(0xf0, [bytes(0x40)], count);
}
