import { Deduplicator } from './deduplicator.ts';
import { type BroadcastEvent, ownNumberOf } from './event.ts';
import { GapDetector } from './gap-detector.ts';
import { CHUNK_TYPE } from './publisher.ts';
import type { Runtime } from './runtime.ts';

/** What came through one source: knows what comes again, and tells what is missing. */
export class Arrivals {
  readonly #runtime: Runtime;
  readonly #gaps: GapDetector | undefined;
  #ids: Deduplicator | undefined;
  /** The last number of each publisher in this process; that of the latest one is kept apart, being asked for most. */
  readonly #numbers = new Map<string, number>();
  #lastEpoch = '';
  #lastNumber = 0;

  /** @param onGap left out where not every event is owed to us */
  constructor(runtime: Runtime, onGap: ((source: string, count: number) => void) | undefined) {
    this.#runtime = runtime;
    if (onGap !== undefined) this.#gaps = new GapDetector(onGap);
  }

  /**
   * Was it here before? Told by its number if Polycast gave it one, else by its id. If not, it is from now on.
   * @param isOwed false: the service withholds others of the same publisher from us, so that a hole in its numbers says nothing
   */
  isRepeated(event: BroadcastEvent, isOwed = true): boolean {
    const number = ownNumberOf(event);
    if (number > 0 && event.sequence === undefined) return this.#isBehind(event.epoch as string, number);
    const gaps = isOwed ? this.#gaps : undefined;
    if (gaps !== undefined && event.sequence !== undefined) {
      const list = typeof event.to === 'string' ? event.to : '*';
      if (gaps.isRepeated(event.source, event.sequence, list)) return true;
    }
    // Where numbers are not watched, what has several of our addresses may still come by each of them.
    const isNumbered = event.hasOwnId || event.type === CHUNK_TYPE;
    if (isNumbered && (gaps !== undefined || !/,/.test(event.to as string))) return false;
    this.#ids ??= new Deduplicator(this.#runtime);
    return this.#ids.isDuplicate(event.source, event.id);
  }

  /** In process nothing is lost or overtaken, so a publisher's numbers only rise. */
  #isBehind(epoch: string, number: number): boolean {
    if (epoch !== this.#lastEpoch) {
      if (this.#numbers.size >= MAX_PUBLISHERS) this.#numbers.clear();
      this.#numbers.set(this.#lastEpoch, this.#lastNumber);
      this.#lastEpoch = epoch;
      this.#lastNumber = this.#numbers.get(epoch) ?? 0;
    }
    if (number <= this.#lastNumber) return true;
    this.#lastNumber = number;
    return false;
  }
}

const MAX_PUBLISHERS = 10_000;
