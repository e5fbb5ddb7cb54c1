/** A value as AMQP types it. Integral types are bigint, float, double and decimal are number, timestamps are Date. */
export type PropertyValue = null | string | boolean | bigint | number | Date | Uuid | Uint8Array;

export class Uuid {
  /** Lower case, 8-4-4-4-12. */
  readonly text: string;
  constructor(text: string) {
    this.text = text.toLowerCase();
  }
}

/** What a rule sees of a message. The body is never visible. */
export interface RuleMessage {
  /** A system property by its name in lower case; undefined: the service has none of that name; null: not set. */
  system(name: string): PropertyValue | undefined;
  /** A user property; names compare without case. undefined: missing. */
  user(name: string): PropertyValue | undefined;
  readonly userNames: Iterable<string>;
}

/** What an action wrote: null removes. */
export interface Changes {
  readonly system: ReadonlyMap<string, PropertyValue>;
  readonly user: ReadonlyMap<string, PropertyValue>;
}

export type Parameters = ReadonlyMap<string, PropertyValue>;

export type FilterDescription =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | {
      readonly kind: 'sql';
      readonly expression: string;
      readonly parameters?: Parameters;
      readonly compatibilityLevel?: number;
    }
  | {
      readonly kind: 'correlation';
      readonly correlationId?: string;
      readonly messageId?: string;
      readonly to?: string;
      readonly replyTo?: string;
      readonly label?: string;
      readonly sessionId?: string;
      readonly replyToSessionId?: string;
      readonly contentType?: string;
      readonly properties?: ReadonlyMap<string, PropertyValue>;
    };

export interface ActionDescription {
  readonly expression: string;
  readonly parameters?: Parameters;
  readonly compatibilityLevel?: number;
}

export interface RuleDescription {
  readonly name: string;
  readonly filter: FilterDescription;
  readonly action?: ActionDescription;
  readonly createdAtMs: number;
}
