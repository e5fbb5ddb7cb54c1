import type { FilterValue } from '@polycast/core/filter';
import type { SqlAtom, SqlFormula, SqlOperand, SqlOperator } from '../../src/filter-target/sql.ts';

/**
 * Reads the text of a Service Bus SQL filter by the grammar of the vendor's page, as far as push-down writes it, so that
 * tests can tell whether the text says what the planner meant.
 *
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter
 */
export function readSql(text: string): SqlFormula {
  const reader = new SqlReader(text);
  const formula = reader.or();
  reader.expect('');
  return formula;
}

const TOKEN = /\s*(?:('(?:[^']|'')*')|(-?\d+)|([A-Za-z][\w.]*)|(<>|<=|>=|[=<>(),+*-]))/y;

class SqlReader {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const from = TOKEN.lastIndex;
      const found = TOKEN.exec(text);
      if (found === null) throw new Error(`no SQL at ${from}: ${text.slice(from, from + 20)}`);
      this.#tokens.push(found[0].trim());
    }
  }

  get #next(): string {
    return this.#tokens[this.#at] ?? '';
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? '';
  }

  #accept(token: string): boolean {
    if (this.#next !== token) return false;
    this.#at++;
    return true;
  }

  expect(token: string): void {
    if (!this.#accept(token) && token !== this.#next) throw new Error(`wanted ${token}, found ${this.#next}`);
  }

  or(): SqlFormula {
    return this.#list('OR', () => this.#list('AND', () => this.#primary()));
  }

  #list(word: 'AND' | 'OR', read: () => SqlFormula): SqlFormula {
    const of = [read()];
    while (this.#accept(word)) of.push(read());
    return of.length === 1 ? of[0]! : { kind: word === 'AND' ? 'and' : 'or', of };
  }

  #primary(): SqlFormula {
    if (this.#next === '(' && !this.#isSum()) {
      this.#take();
      const formula = this.or();
      this.expect(')');
      return formula;
    }
    if (this.#accept('1')) {
      this.expect('=');
      return { kind: 'constant', value: this.#take() === '1' };
    }
    return { kind: 'atom', atom: this.#atom() };
  }

  /** A bracket around a sum has no comparison in it. */
  #isSum(): boolean {
    let depth = 0;
    for (let at = this.#at; at < this.#tokens.length; at++) {
      const token = this.#tokens[at]!;
      if (token === '(') depth++;
      else if (token === ')' && --depth === 0) return true;
      else if (/^(?:=|<>|[<>]=?|IS|IN|LIKE|NOT|AND|OR)$/.test(token)) return false;
    }
    return false;
  }

  #atom(): SqlAtom {
    const left = this.#operand();
    if (left.kind === 'column') {
      const column = left.name;
      if (this.#accept('IS')) {
        const negated = this.#accept('NOT');
        this.expect('NULL');
        return { kind: 'null', column, negated };
      }
      const negated = this.#accept('NOT');
      if (this.#accept('IN')) return { kind: 'in', column, values: this.#values(), negated };
      if (this.#accept('LIKE')) {
        const text = String(this.#value());
        const escapedBy = this.#accept('ESCAPE') ? String(this.#value()) : undefined;
        return { kind: 'like', column, pattern: { text, escapedBy }, negated };
      }
    }
    const operator = this.#take() as SqlOperator;
    const isValue = /^['\d-]|^(?:TRUE|FALSE)$/.test(this.#next);
    if (left.kind === 'column' && isValue && (operator === '=' || operator === '<>')) {
      return { kind: 'in', column: left.name, values: [this.#value()], negated: operator === '<>' };
    }
    return { kind: 'compare', operator, left, right: this.#operand() };
  }

  #operand(): SqlOperand {
    if (this.#accept('(')) {
      const left = this.#operand();
      const operator = this.#take() as '+' | '-' | '*';
      const right = this.#operand();
      this.expect(')');
      return { kind: 'sum', operator, left, right };
    }
    if (/^-?\d/.test(this.#next)) return { kind: 'constant', value: Number(this.#take()) };
    return { kind: 'column', name: this.#take() };
  }

  #values(): FilterValue[] {
    this.expect('(');
    const values = [this.#value()];
    while (this.#accept(',')) values.push(this.#value());
    this.expect(')');
    return values;
  }

  #value(): FilterValue {
    const token = this.#take();
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    return token === 'TRUE' || token === 'FALSE' ? token === 'TRUE' : Number(token);
  }
}
