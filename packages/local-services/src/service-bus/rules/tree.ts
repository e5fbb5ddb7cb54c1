import type { Known, PropertyValue } from './value.ts';

/** What has a value. Parameters have become constants. */
export type Expression =
  | { readonly kind: 'constant'; readonly value: PropertyValue }
  | Property
  | { readonly kind: 'newid' }
  /** `property(name)` */
  | { readonly kind: 'named'; readonly name: Expression }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'sign'; readonly operator: '+' | '-'; readonly of: Expression };

export interface Property {
  readonly kind: 'property';
  readonly scope: Scope;
  /** As written. */
  readonly name: string;
}

export type Scope = 'sys' | 'user';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type CompareOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** What is true, false or unknown. */
export type Predicate =
  | { readonly kind: 'not'; readonly of: Predicate }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Predicate[] }
  | {
      readonly kind: 'compare';
      readonly operator: CompareOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'null'; readonly property: Property; readonly negated: boolean }
  | { readonly kind: 'exists'; readonly property: Property }
  | {
      readonly kind: 'in';
      readonly of: Expression;
      readonly values: readonly Expression[];
      readonly negated: boolean;
    }
  | {
      readonly kind: 'like';
      readonly of: Expression;
      readonly pattern: Expression;
      readonly escapedBy?: Expression;
      readonly negated: boolean;
    };

export type Statement =
  | { readonly kind: 'set'; readonly property: Property; readonly to: Expression }
  | { readonly kind: 'remove'; readonly property: Property };

/** Unknown: a value that is missing, or cannot be told. A message is taken by true alone. */
export type Truth = boolean | undefined;
export type Value = Known | undefined;

export function isPredicate(node: Expression | Predicate): node is Predicate {
  switch (node.kind) {
    case 'constant':
    case 'property':
    case 'newid':
    case 'named':
    case 'arithmetic':
    case 'sign':
      return false;
    default:
      return true;
  }
}
