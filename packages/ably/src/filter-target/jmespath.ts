import { type FilterValue, type Formula, printFormula } from '@polycast/core/filter';

/** A comparison of JMESPath, as data; null is what a field that is missing evaluates to. */
export interface JmesAtom {
  readonly field: string;
  readonly operator: '==' | '!=' | '<' | '<=' | '>' | '>=';
  readonly value: FilterValue | null;
}

export type JmesFormula = Formula<JmesAtom>;

const WORDS = { and: ' && ', or: ' || ', true: '`true`', false: '`false`' };

export function printJmes(formula: JmesFormula): string {
  return printFormula(formula, WORDS, ({ field, operator, value }) => {
    // A grave accent would end the literal; JSON has another way to write it.
    return `${field} ${operator} \`${JSON.stringify(value).replaceAll('`', '\\u0060')}\``;
  });
}

/** A message of Ably as its filters see it. */
export type JmesMessage = (field: string) => FilterValue | null;

/**
 * What the expression evaluates to: equality never casts, an order of anything but numbers is null, and null is not true.
 *
 * @see https://jmespath.org/specification.html, "Equality Operators" and "Ordering Operators"
 */
export function evaluateJmes(formula: JmesFormula, message: JmesMessage): boolean {
  switch (formula.kind) {
    case 'constant':
      return formula.value;
    case 'and':
      return formula.of.every((part) => evaluateJmes(part, message));
    case 'or':
      return formula.of.some((part) => evaluateJmes(part, message));
    case 'atom': {
      const { field, operator, value } = formula.atom;
      const found = message(field);
      if (operator === '==') return found === value;
      if (operator === '!=') return found !== value;
      if (typeof found !== 'number' || typeof value !== 'number') return false;
      return operator === '<'
        ? found < value
        : operator === '<='
          ? found <= value
          : operator === '>'
            ? found > value
            : found >= value;
    }
  }
}
