import { readAttribute } from '@polycast/core/filter';
import type { Message } from './sql-evaluate.ts';

/**
 * Where Service Bus finds an attribute: in binary mode of the AMQP binding for CloudEvents, attributes are application
 * properties named `cloudEvents_…`, but for `datacontenttype`, which is the content type of the message.
 *
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/amqp-protocol-binding.md, section 3.1
 */
export function columnOf(attribute: string): string {
  return isContentType(attribute) ? 'sys.ContentType' : `user.${propertyOf(attribute)}`;
}

export function propertyOf(attribute: string): string {
  return `${PREFIX}${attribute}`;
}

/** It is set on messages of events without the attribute as well, as a message says how to read its body. */
export function isContentType(attribute: string): boolean {
  return attribute === 'datacontenttype';
}

/** These may travel as AMQP timestamps, which compare with no text. */
export function isTimestamp(attribute: string): boolean {
  return attribute === 'time' || attribute === 'expirytime';
}

/** The properties of the message that carries the event. */
export function messageOf(event: Readonly<Record<string, unknown>>): Message {
  return (column) => {
    if (column === 'sys.contenttype') return readAttribute(event, 'datacontenttype');
    return column.startsWith(USER_PREFIX) ? readAttribute(event, column.slice(USER_PREFIX.length)) : undefined;
  };
}

const PREFIX = 'cloudEvents_';
const USER_PREFIX = 'user.cloudevents_';
