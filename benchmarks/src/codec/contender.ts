/** Writes an event to bytes and reads it back. */
export interface CodecContender {
  /** Makes what `encode` takes, once per event as a publisher would; part of encoding. */
  encode(data: unknown, number: number): Uint8Array;
  /** Must give the data back, parsed; or what `dataOf` takes. */
  decode(bytes: Uint8Array): unknown;
  /** For a codec that puts off the parsing: outside of what is measured. */
  dataOf?(decoded: unknown): unknown;
}
