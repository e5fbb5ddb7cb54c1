import { randomUUID } from 'node:crypto';
import { calculate, sign } from './arithmetic.ts';
import { FilterEvaluationError } from './rule-error.ts';
import type { RuleMessage } from './rule-message.ts';
import { systemName } from './system-property.ts';
import type { Expression, Scope, Value } from './tree.ts';
import { Uuid } from './value.ts';

/** @throws FilterEvaluationError */
export type Read = (message: RuleMessage) => Value;

/** What is missing, not set or NULL is unknown. */
export function compileExpression(expression: Expression): Read {
  switch (expression.kind) {
    case 'constant': {
      const value = expression.value ?? undefined;
      return () => value;
    }
    case 'property':
      return compileProperty(expression.scope, expression.name);
    case 'newid':
      return () => new Uuid(randomUUID());
    case 'named': {
      const name = compileExpression(expression.name);
      return (message) => {
        const read = name(message);
        return typeof read === 'string' ? readNamed(message, read) : undefined;
      };
    }
    case 'arithmetic': {
      const { operator } = expression;
      const left = compileExpression(expression.left);
      const right = compileExpression(expression.right);
      return (message) => calculate(operator, left(message), right(message));
    }
    case 'sign': {
      const { operator } = expression;
      const of = compileExpression(expression.of);
      return (message) => sign(operator, of(message));
    }
  }
}

/** Does not know which value yet: a system property that the service has none of is an error, one that is not set is not. */
export function compileProperty(scope: Scope, written: string): Read {
  if (scope === 'sys') {
    const name = systemName(written);
    return (message) => readSystem(message, name);
  }
  const name = written.toLowerCase();
  return (message) => message.user(name) ?? undefined;
}

function readSystem(message: RuleMessage, name: string): Value {
  const value = message.system(name);
  if (value === undefined)
    throw new FilterEvaluationError(`There is no system property '${name.slice(0, MAX_QUOTED)}'.`);
  return value ?? undefined;
}

/** `property('sys.Label')`, `property('user.colour')`, `property('colour')`: no name is delimited there. */
function readNamed(message: RuleMessage, reference: string): Value {
  const lower = reference.toLowerCase();
  if (lower.startsWith('sys.')) return readSystem(message, systemName(lower.slice(4)));
  return message.user(lower.startsWith('user.') ? lower.slice(5) : lower) ?? undefined;
}

const MAX_QUOTED = 64;
