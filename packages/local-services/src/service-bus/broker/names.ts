import { BrokerError } from './error.ts';
import { LIMITS } from './limits.ts';

/** Letters, digits, `.`, `-`, `_` and, in paths, `/`; begins and ends with a letter or digit. */
const PATH = /^[a-z\d]([a-z\d._/-]*[a-z\d])?$/i;
const NAME = /^[a-z\d]([a-z\d._-]*[a-z\d])?$/i;
/** Rules may be called like the one a subscription starts with. */
const RULE_NAME = /^[$a-z\d]([a-z\d._-]*[a-z\d])?$/i;

/** A name as it is compared: without case. */
export function keyOf(name: string): string {
  return name.toLowerCase();
}

/** Of a queue or a topic. @throws `com.microsoft:argument-error` */
export function checkPath(path: string): void {
  check('path', path, PATH, LIMITS.entityPathCharacters);
  // Else it could not be told from a subscription.
  if (!path.includes('//') && !keyOf(path).split('/').includes('subscriptions')) return;
  throw invalid('path', path);
}

/** Of a subscription. @throws `com.microsoft:argument-error` */
export function checkSubscriptionName(name: string): void {
  check('subscription name', name, NAME, LIMITS.nameCharacters);
}

/** @throws `com.microsoft:argument-error` */
export function checkRuleName(name: string): void {
  check('rule name', name, RULE_NAME, LIMITS.nameCharacters);
}

function check(what: string, name: string, pattern: RegExp, maxCharacters: number): void {
  if (name.length > maxCharacters) {
    throw new BrokerError(
      'com.microsoft:argument-error',
      `The ${what} has ${name.length} characters; ${maxCharacters} are allowed.`,
    );
  }
  if (!pattern.test(name)) throw invalid(what, name);
}

function invalid(what: string, name: string): BrokerError {
  return new BrokerError(
    'com.microsoft:argument-error',
    `'${name}' is not a valid ${what}: letters, digits, '.', '-' and '_' are allowed, between letters or digits.`,
  );
}

/** A source as its address says it. */
export interface SourceAddress {
  readonly entity: string;
  readonly subQueue: 'main' | 'dead-letter' | 'transfer-dead-letter';
}

/** Splits `…/$DeadLetterQueue` and `…/$Transfer/$DeadLetterQueue` off. */
export function parseSource(path: string): SourceAddress {
  const [, transfer, transferred] = /^(.+)(\/\$transfer\/\$deadletterqueue)$/i.exec(path) ?? [];
  if (transferred !== undefined) return { entity: transfer!, subQueue: 'transfer-dead-letter' };
  const [, dead] = /^(.+)\/\$deadletterqueue$/i.exec(path) ?? [];
  return dead === undefined ? { entity: path, subQueue: 'main' } : { entity: dead, subQueue: 'dead-letter' };
}

/** @returns topic and subscription; undefined when the path is not that of a subscription */
export function parseSubscription(path: string): readonly [topic: string, name: string] | undefined {
  const match = /^(.+)\/subscriptions\/([^/]+)$/i.exec(path);
  return match === null ? undefined : [match[1]!, match[2]!];
}
