import {
  atomFormula,
  bareTest,
  type Condition,
  constantFormula,
  type ExpressionTest,
  type FilterTarget,
  formulaOf,
  joinFormulas,
  type Loosened,
  type PresentTest,
  type Pushed,
  type PushOptions,
  REQUIRED_ATTRIBUTES,
  reasonFor,
  requiredAttributes,
  splitCondition,
  type Test,
} from '@polycast/core/filter';
import { columnOf, isContentType, isTimestamp, messageOf } from './service-bus-columns.ts';
import { printSql, type SqlAtom, type SqlFormula } from './sql.ts';
import { evaluateSql } from './sql-evaluate.ts';
import { sqlOfExpression } from './sql-expression.ts';
import { sqlOfTest } from './sql-test.ts';

/** What `SqlRuleFilter` of `@azure/service-bus` takes. */
export interface ServiceBusSqlFilter {
  readonly sqlExpression: string;
  /** The same as data. */
  readonly formula: SqlFormula;
}

/**
 * The SQL filter of a rule of a Service Bus subscription. At most 1,024 characters; three-valued logic, so only single
 * comparisons are negated; texts compare with case, as in C#; unlike types do not compare, be the outcome false or unknown.
 * An attribute that may have several types is compared with each. What LIKE does with case is not documented, so a pattern
 * with letters stays in the residual as well.
 *
 * Taken for granted: publishers write extension attributes as AMQP strings, longs and booleans, in binary mode.
 *
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messaging-sql-filter
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas (filter text)
 */
export const serviceBusSql: FilterTarget<ServiceBusSqlFilter> = {
  name: 'service-bus-sql',
  title: 'Service Bus, SQL filter',
  push: (condition, options) => push(condition, options, MAX_TEXT),
};

/** The same, for who adds conditions of its own to the rule and leaves the filter no more than so many characters. */
export function serviceBusSqlWithin(maxText: number): FilterTarget<ServiceBusSqlFilter> {
  return { ...serviceBusSql, push: (condition, options) => push(condition, options, Math.min(maxText, MAX_TEXT)) };
}

function push(condition: Condition, options: PushOptions, maxText: number): Pushed<ServiceBusSqlFilter> {
  const { natives, residual, reasons } = splitCondition<SqlFormula>(condition, {
    share: (part, coarse) => formulaOf(part, (test) => loosen(test, options, coarse)),
    fits: (formulas) => printSql(joinFormulas('and', formulas)).length <= maxText,
    tooMuch: (part) => reasonFor(part, `a filter is limited to ${maxText} characters`),
  });
  const formula = joinFormulas('and', natives);
  const text = natives.length === 0 ? '' : printSql(formula);
  return {
    native: natives.length === 0 ? undefined : { sqlExpression: text, formula },
    text,
    residual,
    reasons,
    accepts: (event) => evaluateSql(formula, messageOf(event)) === true,
  };
}

const MAX_TEXT = 1_024;
const CONTENT_TYPE = 'it is the content type of the message, which is also set for events without it';
const TIMESTAMP = 'it is sent as a timestamp, which cannot be compared with a string';

function loosen(test: Test, options: PushOptions, coarse: boolean): Loosened<SqlAtom> {
  if (test.kind === 'present') return loosenPresence(test);
  const looksAt = test.kind === 'expression' ? bareTest(test) : test;
  if (looksAt === undefined) return loosenExpression(test as ExpressionTest, options);
  const { attribute } = looksAt;
  if (isTimestamp(attribute)) return { formula: presence(attribute), reason: reasonFor(test, TIMESTAMP) };
  const { formula, reason } = sqlOfTest(looksAt, options, coarse);
  // Where the event has the attribute the message says the same, and where it has not, no test of a value passes.
  if (isContentType(attribute)) return { formula, reason: reasonFor(test, CONTENT_TYPE) };
  return { formula, reason: reason === undefined ? undefined : reasonFor(test, reason) };
}

function loosenPresence(test: PresentTest): Loosened<SqlAtom> {
  const { attribute, negated } = test;
  if (isContentType(attribute)) {
    return { formula: negated ? constantFormula(true) : presence(attribute), reason: reasonFor(test, CONTENT_TYPE) };
  }
  if (!negated) return { formula: presence(attribute) };
  if (REQUIRED_ATTRIBUTES.has(attribute)) return { formula: constantFormula(false) };
  return { formula: atomFormula({ kind: 'null', column: columnOf(attribute), negated: false }) };
}

function loosenExpression(test: ExpressionTest, options: PushOptions): Loosened<SqlAtom> {
  const { formula, reason } = sqlOfExpression(test, options) ?? {
    formula: joinFormulas('and', requiredAttributes(test.of).map(presence)),
    reason: 'Service Bus has no such function or arithmetic, or the attribute types are not declared',
  };
  return { formula, reason: reason === undefined ? undefined : reasonFor(test, reason) };
}

function presence(attribute: string): SqlFormula {
  if (REQUIRED_ATTRIBUTES.has(attribute)) return constantFormula(true);
  return atomFormula({ kind: 'null', column: columnOf(attribute), negated: true });
}
