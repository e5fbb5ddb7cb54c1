/** Widths of significand and exponent of IEEE 754-2008 decimals, in bits, by the bytes of the whole. */
const FORMATS: Readonly<Record<number, { significand: bigint; exponent: bigint; bias: number }>> = {
  4: { significand: 23n, exponent: 8n, bias: 101 },
  8: { significand: 53n, exponent: 10n, bias: 398 },
  16: { significand: 113n, exponent: 14n, bias: 6176 },
};

/** A decimal32, 64 or 128 in binary integer encoding, as the nearest double. */
export function readDecimal(bytes: Buffer): number {
  const { significand, exponent, bias } = FORMATS[bytes.length]!;
  const bits = BigInt(`0x${bytes.toString('hex')}`);
  const negative = bits >> BigInt(bytes.length * 8 - 1) === 1n;
  const sign = negative ? -1 : 1;
  const top = (bits >> (significand + exponent - 5n)) & 0b11111n;
  if (top === 0b11111n) return Number.NaN;
  if (top === 0b11110n) return sign * Number.POSITIVE_INFINITY;
  const mask = (1n << exponent) - 1n;
  // With both leading bits set the significand is one that its decimal digits cannot hold: it counts as zero.
  if (top >> 3n === 0b11n) return sign * 0;
  const digits = bits & ((1n << significand) - 1n);
  return Number(`${negative ? '-' : ''}${digits}e${Number((bits >> significand) & mask) - bias}`);
}
