import type { Alarm } from '../../time/alarm.ts';
import { TimeHeap } from '../../time/time-heap.ts';
import { type Copy, PHASE } from './copy.ts';
import { BrokerError } from './error.ts';
import type { MessageLog } from './message-log.ts';

/** Messages of a log that wait for their time. */
export class Schedule {
  readonly #log: MessageLog;
  readonly #alarm: Alarm;
  readonly #due = new TimeHeap();
  #size = 0;

  constructor(log: MessageLog, alarm: Alarm) {
    this.#log = log;
    this.#alarm = alarm;
  }

  get size(): number {
    return this.#size;
  }

  /** @param copy in the log, in phase `scheduled` */
  add(copy: Copy): void {
    const { scheduledAtMs } = copy.content;
    this.#size++;
    this.#due.add(scheduledAtMs, copy.sequenceNumber);
    this.#due.sweep(this.#size, this.#holds);
    this.#alarm.by(scheduledAtMs);
  }

  /** @throws `com.microsoft:message-not-found` unless all of them wait here */
  find(sequenceNumbers: readonly number[]): ReadonlySet<Copy> {
    return new Set(
      sequenceNumbers.map((number) => {
        const copy = this.#log.get(number);
        if (copy?.phase === PHASE.scheduled) return copy;
        throw new BrokerError(
          'com.microsoft:message-not-found',
          `The scheduled message with the sequence number ${number} was not found.`,
        );
      }),
    );
  }

  /** One that was here left the log. */
  left(): void {
    this.#size--;
  }

  takeDue(now: number): Copy | undefined {
    for (;;) {
      const number = this.#due.takeDue(now);
      if (number === undefined) return undefined;
      const copy = this.#log.get(number);
      if (copy?.phase === PHASE.scheduled) return copy;
    }
  }

  next(): number {
    return this.#due.next(this.#holds);
  }

  readonly #holds = (number: number) => this.#log.get(number)?.phase === PHASE.scheduled;
}
