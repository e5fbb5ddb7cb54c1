/** .NET writes the first three groups of a GUID little-endian: where each byte of the tag comes from. */
const NET_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;

/** A lock token as a delivery tag: 16 bytes in .NET's order. */
export function deliveryTag(token: string): Buffer {
  const bytes = Buffer.from(token.replaceAll('-', ''), 'hex');
  const tag = Buffer.allocUnsafe(16);
  for (let i = 0; i < 16; i++) tag[i] = bytes[NET_ORDER[i]!]!;
  return tag;
}
