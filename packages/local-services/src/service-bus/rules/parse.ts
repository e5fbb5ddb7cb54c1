import type { Parameters } from './description.ts';
import { Parser } from './parse-expression.ts';
import { RuleError } from './rule-error.ts';
import type { Predicate, Statement } from './tree.ts';

/** Maximum number of statements of an action (vendor's quota page). */
export const MAX_STATEMENTS = 32;

/**
 * The condition of a SQL filter.
 *
 * @throws RuleError
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter
 */
export function parseFilter(text: string, parameters?: Parameters): Predicate {
  const parser = new Parser(text, parameters, false);
  const predicate = parser.predicate();
  if (parser.lexer.kind !== 'end') throw parser.lexer.error('the end is expected');
  return predicate;
}

/**
 * The statements of a SQL action: at least one. A semicolon after each is optional.
 *
 * @throws RuleError
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-rule-action
 */
export function parseAction(text: string, parameters?: Parameters): readonly Statement[] {
  const parser = new Parser(text, parameters, true);
  const statements: Statement[] = [];
  do {
    if (statements.length === MAX_STATEMENTS) {
      const message = `An action has at most ${MAX_STATEMENTS} statements.`;
      throw new RuleError('com.microsoft:argument-out-of-range', message, parser.lexer.start);
    }
    statements.push(statement(parser));
    parser.lexer.accept(';');
  } while (parser.lexer.kind !== 'end');
  return statements;
}

function statement(parser: Parser): Statement {
  const { lexer } = parser;
  if (lexer.accept('REMOVE')) return { kind: 'remove', property: parser.property() };
  if (!lexer.accept('SET')) throw lexer.error('SET or REMOVE is expected');
  const property = parser.property();
  lexer.expect('=');
  return { kind: 'set', property, to: parser.expression() };
}
