import type { PropertyValue } from './value.ts';

/** Of a SQL text, by name, with or without the `@`. */
export type Parameters = ReadonlyMap<string, PropertyValue>;

/** Of parameters and properties: the type they were given in, as XML Schema has it, where their value does not show it. Told back. */
export type WrittenTypes = ReadonlyMap<string, string>;

export type FilterDescription =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | SqlFilterDescription
  | CorrelationFilterDescription;

export interface SqlFilterDescription {
  readonly kind: 'sql';
  readonly expression: string;
  readonly parameters?: Parameters;
  /** Told back as it came. There is one language: 20. */
  readonly compatibilityLevel?: number;
  /** Told back as it came. */
  readonly requiresPreprocessing?: boolean;
  readonly parameterTypes?: WrittenTypes;
}

/** All that is given must be equal. */
export interface CorrelationFilterDescription {
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
  readonly propertyTypes?: WrittenTypes;
}

export interface ActionDescription {
  readonly expression: string;
  readonly parameters?: Parameters;
  /** Told back as it came. */
  readonly compatibilityLevel?: number;
  readonly requiresPreprocessing?: boolean;
  readonly parameterTypes?: WrittenTypes;
}

export interface RuleDescription {
  readonly name: string;
  readonly filter: FilterDescription;
  readonly action?: ActionDescription;
  readonly createdAtMs: number;
}
