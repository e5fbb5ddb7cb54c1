import type { Condition } from './condition.ts';

/**
 * What one broker can evaluate of a filter: data about it, and how its own filter is written. Adapters name theirs as
 * `Transport.filterTarget`; core splits each filter with it.
 */
export interface FilterTarget<Native = unknown> {
  /** As the command line takes it. Lower case, with dashes. */
  readonly name: string;
  /** For people: the service, and which of its filters. */
  readonly title: string;
  /** The largest part of the condition that the broker can evaluate without ever dropping an event that passes. */
  push(condition: Condition, options: PushOptions): Pushed<Native>;
}

export interface PushOptions {
  /**
   * What publishers are known to write in an extension attribute. Without it, an attribute may be a string, an integer or a
   * boolean, and CESQL casts between them where brokers do not: the text `'7'` is above 5.
   */
  readonly types?: Readonly<Record<string, 'text' | 'integer' | 'boolean'>>;
}

/** A split condition. `native` ∧ `residual` is the condition, whatever the event; where the condition holds, `native` does. */
export interface Pushed<Native = unknown> {
  /** The broker's own filter, ready to send; undefined when it is to bring every event. */
  readonly native: Native | undefined;
  /** The same, to read. Empty when it brings every event. */
  readonly text: string;
  /** What is left to evaluate here. `always` when the broker evaluates all of it. */
  readonly residual: Condition;
  /** Why each part of the residual could not be pushed, in the order of its parts. */
  readonly reasons: readonly PushReason[];
  /** What the broker would say to an event, by its own rules (its comparison of case, of types, of what is missing). */
  accepts(event: Readonly<Record<string, unknown>>): boolean;
}

export interface PushReason {
  /** The part, as CESQL text. */
  readonly part: string;
  readonly reason: string;
}
