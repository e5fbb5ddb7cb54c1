import type { FilterEvent } from '../attribute-value.ts';
import type { Place } from './place.ts';

/** One event on its way through the index. Used again for the next. */
export class Match<Id> {
  event: FilterEvent = NO_EVENT;
  /** Different for each match of an index, and never 0. */
  stamp = 0;
  /** The owners of what passes; only the first `count`. */
  readonly found: (Place<Id> | undefined)[] = [];
  count = 0;

  begin(event: FilterEvent, stamp: number): void {
    this.event = event;
    this.stamp = stamp;
    this.count = 0;
  }

  /** Keeps nothing alive. */
  end(): void {
    this.event = NO_EVENT;
    this.found.fill(undefined, 0, this.count);
  }
}

const NO_EVENT: FilterEvent = {};
