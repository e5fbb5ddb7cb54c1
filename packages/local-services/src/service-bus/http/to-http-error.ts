import { HttpError } from '../../http/http-error.ts';
import { BrokerError, type Condition, STATUS } from '../broker/error.ts';

/** Finer codes that the service gives with some conditions. */
const SUB_CODES: ReadonlyMap<Condition, number> = new Map([
  ['amqp:not-allowed', 40000],
  ['com.microsoft:argument-error', 40000],
  ['com.microsoft:argument-out-of-range', 40000],
  ['amqp:resource-limit-exceeded', 40300],
  ['amqp:not-found', 40400],
  ['com.microsoft:entity-already-exists', 40900],
]);

/** Total: whatever was thrown becomes an answer. What is not known is a 500 that tells nothing of its cause. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  const condition = conditionOf(error);
  if (condition === undefined) {
    return new HttpError(500, 'The server was unable to process the request; please retry the operation.');
  }
  const code = (error instanceof BrokerError ? error.subCode : undefined) ?? SUB_CODES.get(condition);
  return new HttpError(STATUS[condition], (error as Error).message, code === undefined ? {} : { code });
}

/** Is it nothing that anybody means to throw? */
export const isDefect = (error: unknown): boolean => !(error instanceof HttpError) && conditionOf(error) === undefined;

/** The rules and the authority throw coded errors of their own, without knowing of the broker's. */
function conditionOf(error: unknown): Condition | undefined {
  const condition = error instanceof Error ? (error as { condition?: unknown }).condition : undefined;
  return typeof condition === 'string' && Object.hasOwn(STATUS, condition) ? (condition as Condition) : undefined;
}
