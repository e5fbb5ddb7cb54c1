import type { MessageContent } from '../message/content.ts';
import { type PropertyValue, Uuid } from '../rules/index.ts';
import { BrokerError } from './error.ts';
import { LIMITS } from './limits.ts';

/** What holds for a message wherever it is sent. @throws `amqp:link:message-size-exceeded` `com.microsoft:argument-out-of-range` … */
export function checkSize(content: MessageContent, maxBytes: number): void {
  const { size } = content;
  if (size > maxBytes) {
    throw new BrokerError(
      'amqp:link:message-size-exceeded',
      `The message of ${size} bytes is larger than the limit of ${maxBytes} bytes.`,
    );
  }
  checkId('message id', content.messageId);
  checkId('session id', content.sessionId);
  checkId('partition key', content.partitionKey);
  const { partitionKey, sessionId } = content;
  // Some clients write an empty session id where there is none.
  if (partitionKey !== undefined && sessionId && partitionKey !== sessionId) {
    throw new BrokerError(
      'com.microsoft:argument-error',
      'A message with a session id has the same partition key or none.',
    );
  }
  const problem = headerProblem(content);
  if (problem !== undefined) throw new BrokerError('amqp:resource-limit-exceeded', problem);
}

/** What is wrong with the properties of a message that a rule has changed, or a sender made; undefined: nothing. */
export function headerProblem(content: MessageContent): string | undefined {
  // The common case needs no counting: the whole message is smaller than any one property may be.
  if (content.size <= LIMITS.propertyValueBytes) return undefined;
  let total = 0;
  for (const [name, value] of content.applicationProperties) {
    const bytes = sizeOf(value);
    if (bytes > LIMITS.propertyValueBytes) {
      return `The property '${name.slice(0, 64)}' is larger than ${LIMITS.propertyValueBytes} bytes.`;
    }
    total += Buffer.byteLength(name) + bytes;
  }
  return total > LIMITS.headerBytes ? `The properties are larger than ${LIMITS.headerBytes} bytes.` : undefined;
}

/** @throws `com.microsoft:argument-out-of-range` */
export function checkId(what: string, id: string | undefined): void {
  if (id === undefined || id.length <= LIMITS.idCharacters) return;
  throw new BrokerError(
    'com.microsoft:argument-out-of-range',
    `The ${what} has ${id.length} characters; ${LIMITS.idCharacters} are allowed.`,
  );
}

function sizeOf(value: PropertyValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.byteLength;
  if (value instanceof Uuid) return 16;
  return value === null ? 0 : 8;
}
