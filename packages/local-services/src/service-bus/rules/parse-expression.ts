import type { Parameters } from './description.ts';
import { integerOf, Lexer, realOf } from './lexer.ts';
import { RuleError } from './rule-error.ts';
import {
  type ArithmeticOperator,
  type CompareOperator,
  type Expression,
  isPredicate,
  type Predicate,
  type Property,
  type Scope,
} from './tree.ts';
import { MIN_INT64 } from './value.ts';

/** A bracket may hold either; which one it must be is known where it stands. */
type Node = Expression | Predicate;

/** Maximum length of a filter or an action, in UTF-16 units (vendor's quota page). */
export const MAX_TEXT = 1_024;
/** Deepest nesting. The vendor names no bound; more than a text in use has, and little enough for any stack. */
export const MAX_DEPTH = 100;

/** Reads predicates, expressions and properties from a text, from where it stands. */
export class Parser {
  readonly lexer: Lexer;
  readonly #parameters: Parameters | undefined;
  #depth = 0;

  /** @throws RuleError here and in all methods for what is not in the language */
  constructor(text: string, parameters: Parameters | undefined, isAction: boolean) {
    if (text.length > MAX_TEXT) {
      const message = `A SQL expression has at most ${MAX_TEXT} characters; this one has ${text.length}.`;
      throw new RuleError('com.microsoft:argument-out-of-range', message, MAX_TEXT);
    }
    this.lexer = new Lexer(text, isAction);
    this.#parameters = parameters;
  }

  predicate(): Predicate {
    const { start } = this.lexer;
    return this.#asPredicate(this.#or(), start);
  }

  expression(): Expression {
    const { start } = this.lexer;
    return this.#asExpression(this.#sum(), start);
  }

  /** `[scope .] name` */
  property(): Property {
    const { lexer } = this;
    const { start } = lexer;
    const isPlain = lexer.kind === 'word';
    const first = this.#name();
    if (!lexer.accept('.')) return { kind: 'property', scope: 'user', name: first };
    const scope = first.toLowerCase();
    if (!isPlain || !isScope(scope)) throw lexer.error('the scope of a property is sys or user', start);
    return { kind: 'property', scope, name: this.#name() };
  }

  #name(): string {
    const { lexer } = this;
    const { kind, what } = lexer;
    if (kind !== 'word' && kind !== 'delimited') throw lexer.error('the name of a property is expected');
    lexer.next();
    return what;
  }

  #or(): Node {
    return this.#list('OR', () => this.#list('AND', () => this.#not()));
  }

  #list(word: 'AND' | 'OR', part: () => Node): Node {
    const { lexer } = this;
    const { start } = lexer;
    const first = part();
    if (!lexer.is(word)) return first;
    const of = [this.#asPredicate(first, start)];
    while (lexer.accept(word)) {
      const { start } = lexer;
      of.push(this.#asPredicate(part(), start));
    }
    return { kind: word === 'AND' ? 'and' : 'or', of };
  }

  #not(): Node {
    const { lexer } = this;
    if (!lexer.is('NOT')) return this.#test();
    return this.#deeper(() => {
      lexer.next();
      const { start } = lexer;
      return { kind: 'not', of: this.#asPredicate(this.#not(), start) };
    });
  }

  /** What has a truth, unless it is a value in brackets or nothing follows it. */
  #test(): Node {
    const { lexer } = this;
    const { start } = lexer;
    if (lexer.accept('EXISTS')) {
      lexer.expect('(');
      const property = this.property();
      lexer.expect(')');
      return { kind: 'exists', property };
    }
    const left = this.#sum();
    if (lexer.kind === 'symbol' && COMPARE.has(lexer.what)) {
      const operator = lexer.what as CompareOperator;
      const checked = this.#asExpression(left, start);
      lexer.next();
      return { kind: 'compare', operator, left: checked, right: this.expression() };
    }
    if (lexer.is('IS')) {
      if (left.kind !== 'property') throw lexer.error('IS NULL needs a property', start);
      lexer.next();
      const negated = lexer.accept('NOT');
      lexer.expect('NULL');
      return { kind: 'null', property: left, negated };
    }
    const negated = lexer.accept('NOT');
    if (lexer.accept('IN')) return { kind: 'in', of: this.#asExpression(left, start), values: this.#values(), negated };
    if (lexer.accept('LIKE')) {
      const of = this.#asExpression(left, start);
      const pattern = this.expression();
      return lexer.accept('ESCAPE')
        ? { kind: 'like', of, pattern, escapedBy: this.expression(), negated }
        : { kind: 'like', of, pattern, negated };
    }
    if (negated) throw lexer.error('IN or LIKE is expected after NOT');
    return left;
  }

  #values(): Expression[] {
    const { lexer } = this;
    lexer.expect('(');
    const values = [this.expression()];
    while (lexer.accept(',')) values.push(this.expression());
    lexer.expect(')');
    return values;
  }

  #sum(): Node {
    return this.#operation(SUM, () => this.#operation(PRODUCT, () => this.#sign()));
  }

  #operation(operators: ReadonlySet<string>, operand: () => Node): Node {
    const { lexer } = this;
    const { start } = lexer;
    let left = operand();
    while (lexer.kind === 'symbol' && operators.has(lexer.what)) {
      const operator = lexer.what as ArithmeticOperator;
      const checked = this.#asExpression(left, start);
      lexer.next();
      const { start: second } = lexer;
      left = { kind: 'arithmetic', operator, left: checked, right: this.#asExpression(operand(), second) };
    }
    return left;
  }

  #sign(): Node {
    const { lexer } = this;
    if (!lexer.is('+') && !lexer.is('-')) return this.#primary();
    const operator = lexer.what as '+' | '-';
    return this.#deeper((): Node => {
      lexer.next();
      if (operator === '-' && lexer.kind === 'integer' && -BigInt(lexer.what) === MIN_INT64) {
        lexer.next();
        return { kind: 'constant', value: MIN_INT64 };
      }
      const { start } = lexer;
      const of = this.#asExpression(this.#sign(), start);
      if (operator === '-' && of.kind === 'constant') {
        const { value } = of;
        if (typeof value === 'number') return { kind: 'constant', value: -value };
        if (typeof value === 'bigint') return { kind: 'constant', value: BigInt.asIntN(64, -value) };
      }
      return { kind: 'sign', operator, of };
    });
  }

  #primary(): Node {
    const { lexer } = this;
    switch (lexer.kind) {
      case 'integer':
        return this.#constant(integerOf(lexer.what, lexer));
      case 'real':
        return this.#constant(realOf(lexer.what, lexer));
      case 'text':
        return this.#constant(lexer.what);
      case 'parameter':
        return this.#parameter();
      case 'word':
        return this.#propertyOrCall();
      case 'delimited':
        return this.property();
    }
    if (lexer.is('TRUE')) return this.#constant(true);
    if (lexer.is('FALSE')) return this.#constant(false);
    if (lexer.is('NULL')) return this.#constant(null);
    if (!lexer.is('(')) throw lexer.error('a value is expected');
    return this.#deeper(() => {
      lexer.next();
      const inner = this.#or();
      lexer.expect(')');
      return inner;
    });
  }

  #constant(value: Extract<Expression, { kind: 'constant' }>['value']): Expression {
    this.lexer.next();
    return { kind: 'constant', value };
  }

  #parameter(): Expression {
    const { lexer } = this;
    const wanted = lexer.what.toLowerCase();
    for (const [name, value] of this.#parameters ?? []) {
      const bare = name.startsWith('@') ? name.slice(1) : name;
      if (bare.toLowerCase() === wanted) return this.#constant(value);
    }
    throw lexer.error('the parameter has no value');
  }

  /** No name of a function is reserved: `p = 1` is about a property. */
  #propertyOrCall(): Expression {
    const { lexer } = this;
    const { start, what } = lexer;
    const property = this.property();
    if (!lexer.is('(') || property.scope !== 'user' || property.name !== what) return property;
    const name = what.toLowerCase();
    if (name !== 'newid' && name !== 'property' && name !== 'p') throw lexer.error('unknown function', start);
    return this.#deeper((): Expression => {
      lexer.next();
      const call: Expression = name === 'newid' ? { kind: 'newid' } : { kind: 'named', name: this.expression() };
      lexer.expect(')');
      return call;
    });
  }

  #deeper<T>(read: () => T): T {
    if (this.#depth === MAX_DEPTH) throw this.lexer.error(`more than ${MAX_DEPTH} levels are nested`);
    this.#depth++;
    const node = read();
    this.#depth--;
    return node;
  }

  #asPredicate(node: Node, start: number): Predicate {
    if (isPredicate(node)) return node;
    const { lexer } = this;
    const isOver = lexer.kind === 'end' || [')', 'AND', 'OR'].some((what) => lexer.is(what));
    if (!isOver) throw lexer.error('an operator is expected');
    throw lexer.error('a condition is expected, as in a = 1', start);
  }

  #asExpression(node: Node, start: number): Expression {
    if (!isPredicate(node)) return node;
    throw this.lexer.error('a value is expected, and this is a condition', start);
  }
}

const COMPARE: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
const SUM: ReadonlySet<string> = new Set(['+', '-']);
const PRODUCT: ReadonlySet<string> = new Set(['*', '/', '%']);

function isScope(name: string): name is Scope {
  return name === 'sys' || name === 'user';
}
