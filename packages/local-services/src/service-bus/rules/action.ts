import { compileExpression } from './compile-expression.ts';
import type { ActionDescription } from './description.ts';
import { parseAction } from './parse.ts';
import type { Changes, RuleMessage } from './rule-message.ts';
import { systemName } from './system-property.ts';
import { systemValue } from './system-value.ts';
import type { Statement, Value } from './tree.ts';
import type { PropertyValue } from './value.ts';

/** @throws FilterEvaluationError */
export type Apply = (message: RuleMessage) => Changes;

/**
 * Statement by statement: each sees what those before it wrote. SET to what is missing removes; an integer set where the
 * message has a double becomes one, as C# converts implicitly, and any other value replaces what was there.
 *
 * @throws RuleError
 */
export function compileAction(action: ActionDescription): Apply {
  const steps = parseAction(action.expression, action.parameters).map(compileStatement);
  return (message) => {
    const changed = new ChangedMessage(message);
    for (const step of steps) step(changed);
    return changed.changes();
  };
}

function compileStatement(statement: Statement): (message: ChangedMessage) => void {
  const { scope, name } = statement.property;
  const read = statement.kind === 'set' ? compileExpression(statement.to) : () => undefined;
  if (scope === 'user') return (message) => message.setUser(name, read(message));
  const system = systemName(name);
  return (message) => message.setSystem(system, read(message));
}

/** A message as the statements so far have left it. */
class ChangedMessage implements RuleMessage {
  readonly #message: RuleMessage;
  readonly #system = new Map<string, PropertyValue>();
  /** By name in lower case; null: removed. */
  readonly #user = new Map<string, { readonly name: string; readonly value: PropertyValue }>();

  constructor(message: RuleMessage) {
    this.#message = message;
  }

  get userNames(): Iterable<string> {
    return this.#message.userNames;
  }

  system(name: string): PropertyValue | undefined {
    const changed = this.#system.get(name);
    return changed === undefined ? this.#message.system(name) : changed;
  }

  user(name: string): PropertyValue | undefined {
    const changed = this.#user.get(name);
    return changed === undefined ? this.#message.user(name) : (changed.value ?? undefined);
  }

  setSystem(name: string, value: Value): void {
    this.#system.set(name, systemValue(this, name, value));
  }

  setUser(written: string, value: Value): void {
    const lower = written.toLowerCase();
    const before = this.user(lower);
    if (value === undefined && before === undefined && !this.#user.has(lower)) return;
    const converted = typeof value === 'bigint' && typeof before === 'number' ? Number(value) : value;
    const name = this.#user.get(lower)?.name ?? this.#spelling(lower) ?? written;
    this.#user.set(lower, { name, value: converted ?? null });
  }

  changes(): Changes {
    const user = new Map<string, PropertyValue>();
    for (const { name, value } of this.#user.values()) user.set(name, value);
    return { system: this.#system, user };
  }

  /** How the sender wrote the name. */
  #spelling(lower: string): string | undefined {
    for (const name of this.#message.userNames) if (name.toLowerCase() === lower) return name;
    return undefined;
  }
}
