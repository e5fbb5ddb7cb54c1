import { BrokerError } from '../broker/error.ts';

/** A rule that the service does not take. Its message quotes the rule and nothing else. */
export class RuleError extends BrokerError {
  /** Position in the filter or the action, from 0; -1 if it has none. */
  readonly position: number;

  constructor(condition: RuleErrorCondition, message: string, position = -1) {
    super(condition, message);
    this.position = position;
  }
}

export type RuleErrorCondition = 'com.microsoft:argument-error' | 'com.microsoft:argument-out-of-range';

/**
 * What a rule asks of a message cannot be told: a system property that the service has none of, a division by zero, …
 * The message is dead-lettered if the subscription says so, else it passes by.
 */
export class FilterEvaluationError extends Error {
  override readonly name = 'FilterEvaluationError';
}

/** An error in a filter or an action, with its position and an excerpt. */
export function syntaxError(text: string, position: number, problem: string): RuleError {
  const near = text.slice(position, position + MAX_QUOTED);
  const where = near === '' ? 'the end' : `'${near}${position + MAX_QUOTED < text.length ? '…' : ''}'`;
  return new RuleError(
    'com.microsoft:argument-error',
    `There was an error parsing the SQL expression: ${problem}, at ${where} (character ${position + 1}).`,
    position,
  );
}

const MAX_QUOTED = 24;
