import { type FilterValue, type Formula, printFormula } from '@polycast/core/filter';

/** A comparison of Service Bus SQL, as data. Its column is a property of the message: `user.cloudEvents_type`. */
export type SqlAtom =
  | { readonly kind: 'null'; readonly column: string; readonly negated: boolean }
  | { readonly kind: 'in'; readonly column: string; readonly values: readonly FilterValue[]; readonly negated: boolean }
  | { readonly kind: 'like'; readonly column: string; readonly pattern: SqlPattern; readonly negated: boolean }
  | { readonly kind: 'compare'; readonly operator: SqlOperator; readonly left: SqlOperand; readonly right: SqlOperand };

export type SqlOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type SqlOperand =
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'sum'; readonly operator: '+' | '-' | '*'; readonly left: SqlOperand; readonly right: SqlOperand };

/** A pattern as Service Bus reads it: `escapedBy` takes the meaning from a wildcard after it. */
export interface SqlPattern {
  readonly text: string;
  readonly escapedBy?: string | undefined;
}

export type SqlFormula = Formula<SqlAtom>;

const WORDS = { and: ' AND ', or: ' OR ', true: '1=1', false: '1=0' };

/** The text of `sqlExpression`. */
export function printSql(formula: SqlFormula): string {
  return printFormula(formula, WORDS, printAtom);
}

function printAtom(atom: SqlAtom): string {
  switch (atom.kind) {
    case 'null':
      return `${atom.column} IS ${atom.negated ? 'NOT ' : ''}NULL`;
    case 'in': {
      const { column, values, negated } = atom;
      if (values.length === 1) return `${column} ${negated ? '<>' : '='} ${printValue(values[0]!)}`;
      return `${column} ${negated ? 'NOT ' : ''}IN (${values.map(printValue).join(', ')})`;
    }
    case 'like': {
      const { text, escapedBy } = atom.pattern;
      const pattern = printValue(text) + (escapedBy === undefined ? '' : ` ESCAPE ${printValue(escapedBy)}`);
      return `${atom.column} ${atom.negated ? 'NOT ' : ''}LIKE ${pattern}`;
    }
    case 'compare':
      return `${printOperand(atom.left)} ${atom.operator} ${printOperand(atom.right)}`;
  }
}

function printOperand(operand: SqlOperand): string {
  switch (operand.kind) {
    case 'column':
      return operand.name;
    case 'constant':
      return printValue(operand.value);
    case 'sum':
      return `(${printOperand(operand.left)} ${operand.operator} ${printOperand(operand.right)})`;
  }
}

function printValue(value: FilterValue): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  return String(value).toUpperCase();
}
