/** Bounds of what is read off a wire. Beyond one of them an event is `corrupt-event`. */
export interface DecodeLimits {
  /** Longest message, in UTF-16 units. @default {@link MAX_TEXT_LENGTH} */
  readonly maxTextLength?: number;
  /** Most events in one batch. @default {@link MAX_DECODED_EVENTS} */
  readonly maxEvents?: number;
}

/** @default for `maxTextLength`: 128 Mi, above the largest message of any supported service (100 MB) */
export const MAX_TEXT_LENGTH = 134_217_728;
/** @default for `maxEvents` */
export const MAX_DECODED_EVENTS = 65_536;
/** Longest attribute name that is read. CloudEvents 1.0 asks for at most 20, which not everybody keeps. */
export const MAX_DECODED_NAME_LENGTH = 64;
/** Longest attribute value that is read, in UTF-16 units: the 32 KB of the strictest service. */
export const MAX_DECODED_VALUE_LENGTH = 32_768;
/** Most extension attributes of one event that are read. */
export const MAX_DECODED_ATTRIBUTES = 128;

/** Bytes that a text takes in UTF-8. A lone surrogate counts as the three bytes of its replacement. */
export function utf8Length(text: string): number {
  if (buffer !== undefined) return buffer.byteLength(text);
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit <= 0x7f) continue;
    bytes += unit > 0x7ff ? 2 : 1;
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(at + 1);
    if (next >= 0xdc00 && next <= 0xdfff) {
      // A pair: two units, four bytes.
      at++;
    }
  }
  return bytes;
}

/** Node counts much faster; browsers have none of it. */
const buffer = (globalThis as { Buffer?: { byteLength(text: string): number } }).Buffer;
