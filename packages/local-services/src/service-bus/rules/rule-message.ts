import type { PropertyValue } from './value.ts';

/** What a rule sees of a message. The body is never visible. */
export interface RuleMessage {
  /**
   * A system property by its name in lower case; undefined: the service has none of that name; null: not set. Rules ask
   * by one name for each, `label` but never `subject`: those of `SYSTEM_PROPERTIES`, none of which is undefined.
   * `timetolive` is a TimeSpan, times are dates, numbers are bigint.
   */
  system(name: string): PropertyValue | undefined;
  /** A user property by its name in lower case: names compare without case. undefined: missing. */
  user(name: string): PropertyValue | undefined;
  /** As the sender wrote them. */
  readonly userNames: Iterable<string>;
}

/** What an action wrote: null removes. System names as in `RuleMessage`, user names as the message or else the action has them. */
export interface Changes {
  readonly system: ReadonlyMap<string, PropertyValue>;
  readonly user: ReadonlyMap<string, PropertyValue>;
}
