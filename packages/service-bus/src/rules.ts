import type { CorrelationRuleFilter, SqlRuleFilter } from '@azure/service-bus';
import type { Address } from '@polycast/core/adapter';
import { type ServiceBusSqlFilter, serviceBusSqlWithin } from './filter-target/service-bus-sql.ts';
import { ruleName } from './names.ts';
import { LINK_PROPERTY } from './wire.ts';

/** A rule as it is asked of the service. Same name, same filter. */
export interface PlannedRule {
  readonly name: string;
  readonly filter: SqlRuleFilter | CorrelationRuleFilter;
}

/** Longest text of a SQL filter, in characters. */
const MAX_SQL_LENGTH = 1_024;
/** Most that a rule says beside the filter, with names of 50 characters. */
const MAX_OWN_LENGTH = 570;

const TO = 'user.cloudEvents_to';
const KEY = 'user.cloudEvents_partitionkey';

/** What the service evaluates of a filter: SQL, as far as it fits beside the addresses. */
export const filterTarget = serviceBusSqlWithin(MAX_SQL_LENGTH - MAX_OWN_LENGTH);

/** What a subscription of one participant wants. */
export interface Wanted {
  readonly addresses: readonly Address[];
  readonly filter: unknown;
  /** The mark of its own link, whose messages it wants as carbon copies only. */
  readonly ownLink: string;
}

/** The rule of a subscription that has one reader. */
export function readerRule({ addresses, filter, ownLink }: Wanted): PlannedRule {
  const link = `user.${LINK_PROPERTY}`;
  const others = `(${link} IS NULL OR ${link} <> ${quoted(ownLink)} OR user.cloudEvents_carboncopy = TRUE)`;
  return fitting((native) => and(others, isFor(addresses), native), filter);
}

/** Does a subscription require sessions? Then it takes what has a partition key, else what has none. */
export type Keyed = boolean;

/** The rule of a group's subscription: the same for all members that have the same filter. */
export function groupRule({ addresses, filter }: Pick<Wanted, 'addresses' | 'filter'>, keyed: Keyed): PlannedRule {
  return fitting((native) => and(isFor(addresses), keyOf(keyed), native), filter);
}

/** A rule that says something by its name, and that no message fits. */
export function silentRule(name: string): PlannedRule {
  return { name, filter: { correlationId: 'polycast: no message fits this rule' } };
}

/** Should the filter be too long all the same, the service brings more, and core evaluates it. */
function fitting(write: (native: string | undefined) => string, filter: unknown): PlannedRule {
  const sql = (filter as ServiceBusSqlFilter | undefined)?.sqlExpression;
  const whole = write(sql === undefined ? undefined : `(${sql})`);
  const sqlExpression = whole.length <= MAX_SQL_LENGTH ? whole : write(undefined);
  return { name: ruleName(sqlExpression), filter: { sqlExpression } };
}

function keyOf(keyed: Keyed): string {
  return `${KEY} IS ${keyed ? 'NOT ' : ''}NULL`;
}

/** One condition: what is for several of these is brought once. */
function isFor(addresses: readonly Address[]): string {
  const named = addresses.filter((address) => address !== '*');
  const ways = addresses.includes('*') ? [`${TO} IS NULL`] : [];
  if (named.length > 0) ways.push(`${TO} IN (${named.map(quoted).join(', ')})`, ...severalOf(named));
  return `(${ways.join(' OR ')})`;
}

/**
 * A list of addresses holds one of these, or one that begins like it: `LIKE` says too much, never too little. The lane for
 * control events is never part of a list.
 */
function severalOf(addresses: readonly Address[]): readonly string[] {
  const likes = addresses
    .filter((address) => !address.includes('~control'))
    .map((address) => `${TO} LIKE ${quoted(`%${address}%`)}`);
  return likes.length === 0 ? [] : [`${TO} LIKE '%,%' AND (${likes.join(' OR ')})`];
}

function and(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' AND ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
