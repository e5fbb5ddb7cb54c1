import {
  type CompiledRule,
  compileRule,
  type FilterDescription,
  type Parameters,
  type PropertyValue,
  type RuleMessage,
  SYSTEM_PROPERTIES,
} from '../../../src/service-bus/rules/index.ts';

export type Values = Readonly<Record<string, PropertyValue>>;

/** A message with these properties; names of system properties in lower case. Counts how often it is asked. */
export function messageOf(user: Values = {}, system: Values = {}): RuleMessage & { asked: number } {
  const byLowerName = new Map(Object.entries(user).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    asked: 0,
    system(name) {
      this.asked++;
      return system[name] ?? (SYSTEM_PROPERTIES.has(name) ? null : undefined);
    },
    user(name) {
      this.asked++;
      return byLowerName.get(name);
    },
    userNames: Object.keys(user),
  };
}

export function sql(expression: string, parameters?: Parameters): FilterDescription {
  return { kind: 'sql', expression, ...(parameters && { parameters }) };
}

export function ruleOf(filter: FilterDescription | string, action?: string, name = 'rule'): CompiledRule {
  return compileRule({
    name,
    filter: typeof filter === 'string' ? sql(filter) : filter,
    ...(action !== undefined && { action: { expression: action } }),
    createdAtMs: 0,
  });
}

/** Three-valued, as the subscription shows it: what is neither true nor false when denied is unknown. */
export function truthOf(expression: string, message: RuleMessage, parameters?: Parameters): boolean | undefined {
  if (ruleOf(sql(expression, parameters)).matches(message)) return true;
  return ruleOf(sql(`NOT (${expression})`, parameters)).matches(message) ? false : undefined;
}
