import { seededRandom } from './random.ts';

/** The properties of a simulated link. Omitted ones are those of the loopback interface. */
export interface LinkShape {
  /** One-way delay, ms, in each direction: a round trip takes twice as long. Timers round it up to a whole millisecond. @default 0 */
  readonly delayMs?: number;
  /** Random addition to the delay, ms: uniform between 0 and this. Bytes never overtake each other, as in TCP. @default 0 */
  readonly jitterMs?: number;
  /**
   * Part of the segments that are lost, 0 to below 1. TCP hides a loss and sends the segment again: what is felt is that
   * everything behind it waits for {@link retransmitMs}. @default 0
   */
  readonly lossRate?: number;
  /** Delay caused by one lost segment, ms. @default the larger of 200 ms (Linux's smallest retransmission timeout) and two round trips */
  readonly retransmitMs?: number;
  /** Bandwidth in bytes per second, in each direction, per connection. @default Infinity */
  readonly bytesPerSecond?: number;
  /** The same seed and the same reads give the same jitter and losses. @default 1 */
  readonly seed?: number;
}

/** TCP segments on Ethernet carry this much: losses are drawn per segment. */
const SEGMENT_BYTES = 1460;
/** RFC 6298 says 1 s; Linux uses 200 ms (TCP_RTO_MIN). */
const MIN_RETRANSMIT_MS = 200;

/** @throws TypeError for an invalid number. */
export function checkShape(shape: LinkShape): void {
  for (const name of ['delayMs', 'jitterMs', 'retransmitMs'] as const) {
    const value = shape[name];
    if (value !== undefined && !(value >= 0 && Number.isFinite(value))) {
      throw new TypeError(`${name} must be a finite number of at least 0, not ${value}`);
    }
  }
  if (shape.lossRate !== undefined && !(shape.lossRate >= 0 && shape.lossRate < 1)) {
    throw new TypeError(`lossRate must be at least 0 and below 1, not ${shape.lossRate}`);
  }
  if (shape.bytesPerSecond !== undefined && !(shape.bytesPerSecond > 0)) {
    throw new TypeError(`bytesPerSecond must be above 0, not ${shape.bytesPerSecond}`);
  }
}

/** Does it change anything? A shape that does not costs no timers. */
export function isShaped(shape: LinkShape): boolean {
  const { delayMs = 0, jitterMs = 0, lossRate = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = shape;
  return delayMs > 0 || jitterMs > 0 || lossRate > 0 || bytesPerSecond !== Number.POSITIVE_INFINITY;
}

/**
 * When bytes that enter a link leave it: one direction of one connection. Pure but for the random stream.
 * @param stream tells directions and connections apart, so that each has jitter and losses of its own
 * @returns for bytes that enter at `nowMs`, when they leave, in ms of the same clock; never before those that entered earlier
 */
export function makeSchedule(shape: LinkShape, stream: number): (nowMs: number, bytes: number) => number {
  const { delayMs = 0, jitterMs = 0, lossRate = 0, bytesPerSecond = Number.POSITIVE_INFINITY, seed = 1 } = shape;
  const retransmitMs = shape.retransmitMs ?? Math.max(MIN_RETRANSMIT_MS, 4 * delayMs + 2 * jitterMs);
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) + stream);
  let wireFreeAtMs = Number.NEGATIVE_INFINITY;
  let lastOutAtMs = Number.NEGATIVE_INFINITY;
  return (nowMs, bytes) => {
    wireFreeAtMs = Math.max(nowMs, wireFreeAtMs) + (bytes / bytesPerSecond) * 1000;
    let outAtMs = wireFreeAtMs + delayMs + (jitterMs === 0 ? 0 : random() * jitterMs);
    if (lossRate > 0) {
      for (let at = 0; at < bytes; at += SEGMENT_BYTES) if (random() < lossRate) outAtMs += retransmitMs;
    }
    lastOutAtMs = Math.max(lastOutAtMs, outAtMs);
    return lastOutAtMs;
  };
}
