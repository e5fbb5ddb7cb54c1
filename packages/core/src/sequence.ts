/**
 * Numbers events per publisher and address list, so that receivers can see holes.
 *
 * An address list is a lane: whoever is on the list gets every event of the lane, so a missing number is a lost event
 * and not one that was meant for somebody else.
 */
export class Numberer {
  epoch = newEpoch();
  #lanes = new Map<string, number>();
  #lastLane = '';
  #lastNumber = 0;

  /** The next position in the lane, as the CloudEvents `sequence` attribute. */
  next(lane: string): string {
    if (lane !== this.#lastLane) this.#switchTo(lane);
    this.#lastNumber++;
    return formatSequence(this.epoch, this.#lastNumber);
  }

  #switchTo(lane: string): void {
    if (this.#lastNumber > 0) this.#lanes.set(this.#lastLane, this.#lastNumber);
    // Bounded: a publisher that addressed very many single instances starts over under a new epoch.
    if (this.#lanes.size > MAX_LANES) {
      this.#lanes.clear();
      this.epoch = newEpoch();
    }
    this.#lastLane = lane;
    this.#lastNumber = this.#lanes.get(lane) ?? 0;
  }
}

const MAX_LANES = 100_000;

/**
 * `<epoch>.<digits of n><n>`: text that sorts like the number, as the extension asks, without padding.
 * @see CloudEvents extension "sequence"
 */
export function formatSequence(epoch: string, number: number): string {
  const digits = String(number);
  return `${epoch}.${LENGTHS[digits.length]}${digits}`;
}

const LENGTHS = '0123456789abcdefg';

/** The epoch and number of a sequence that Polycast wrote; undefined for any other text. */
export function parseSequence(text: string): { epoch: string; number: number } | undefined {
  const dot = text.lastIndexOf('.');
  if (dot <= 0) return undefined;
  const number = Number(text.slice(dot + 2));
  if (!(number > 0 && Number.isSafeInteger(number))) return undefined;
  if (LENGTHS[text.length - dot - 2] !== text[dot + 1]) return undefined;
  return { epoch: text.slice(0, dot), number };
}

let lastEpochMs = 0;

/** Start time in base 36 and four random characters: later starts sort later, within a process strictly. */
export function newEpoch(): string {
  lastEpochMs = Math.max(Date.now(), lastEpochMs + 1);
  const random = crypto.getRandomValues(new Uint32Array(1))[0] as number;
  return lastEpochMs.toString(36) + random.toString(36).padStart(7, '0').slice(-4);
}
