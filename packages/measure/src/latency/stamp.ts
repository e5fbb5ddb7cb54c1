/** Smallest payload that has room for what is measured. */
export const MIN_PAYLOAD_BYTES = 64;

/** What travels in an event's data: `[phase, number, intended, sent, filler]`, the times in ns of the shared clock; in ms once read. */
export type Stamp = readonly [phase: number, number: number, intendedMs: number, sentMs: number, filler: string];

/** Makes stamps whose JSON text has a given length, give or take the digits of a time that ends in zeros. */
export function makeStamper(
  payloadBytes: number,
): (phase: number, number: number, intendedMs: number, sentMs: number) => Stamp {
  if (!(Number.isInteger(payloadBytes) && payloadBytes >= MIN_PAYLOAD_BYTES)) {
    throw new TypeError(`payloadBytes must be an integer of at least ${MIN_PAYLOAD_BYTES}, not ${payloadBytes}`);
  }
  const filler = 'x'.repeat(payloadBytes);
  return (phase, number, intendedMs, sentMs) => {
    // Integer nanoseconds: always as many digits, so the text's length is known without writing it.
    const intended = Math.round(intendedMs * 1e6);
    const sent = Math.round(sentMs * 1e6);
    const fixed = `[${phase},${number},${intended},${sent},""]`.length;
    return [phase, number, intended, sent, filler.slice(0, Math.max(0, payloadBytes - fixed))];
  };
}

/** A stamp off the wire, its times in ms again; undefined if it is something else. */
export function readStamp(data: unknown): Stamp | undefined {
  if (!Array.isArray(data) || data.length !== 5) return undefined;
  const [phase, number, intended, sent, filler] = data as unknown[];
  if (typeof phase !== 'number' || typeof number !== 'number') return undefined;
  if (typeof intended !== 'number' || typeof sent !== 'number' || typeof filler !== 'string') return undefined;
  return [phase, number, intended / 1e6, sent / 1e6, filler];
}
