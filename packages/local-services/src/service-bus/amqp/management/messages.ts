import type { Outcome, StoredMessage } from '../../broker/api.ts';
import { LIMITS } from '../../broker/limits.ts';
import { type Handed, writeForDelivery } from '../../message/delivery.ts';
import { CODE } from '../../message/encoding/value.ts';
import { Writer } from '../../message/encoding/writer.ts';
import { Content } from '../../message/index.ts';
import { modification } from '../outcome.ts';
import type { BodyWriter, Operation, OperationContext } from './answer.ts';
import { type Arguments, bad } from './arguments.ts';

const source = ({ broker, entity }: OperationContext) => broker.source(entity);
const target = ({ broker, entity }: OperationContext) => broker.target(entity);

/** A map with one entry. */
export function entry(name: string, write: BodyWriter): BodyWriter {
  return (writer) => {
    const map = writer.openMap();
    writer.string(name);
    write(writer);
    writer.close(map, 2);
  };
}

const nothing: BodyWriter = (writer) => writer.close(writer.openMap(), 0);

/** Operations on messages, by their names behind `com.microsoft:` (request-response guide). */
export const MESSAGE_OPERATIONS: readonly (readonly [string, Operation])[] = [
  ['renew-lock', { right: 'listen', run: renewLock }],
  ['peek-message', { right: 'listen', run: peek }],
  ['schedule-message', { right: 'send', run: schedule }],
  ['cancel-scheduled-message', { right: 'send', run: cancelScheduled }],
  ['receive-by-sequence-number', { right: 'listen', run: receiveDeferred }],
  ['update-disposition', { right: 'listen', run: updateDisposition }],
  ['batch-delete-messages', { right: 'listen', run: batchDelete }],
];

function renewLock(context: OperationContext, body: Arguments): BodyWriter {
  const until = source(context).renewLocks(body.uuids('lock-tokens'));
  return entry('expirations', (writer) => writer.array(CODE.timestamp, until, (ms) => writer.int64(ms)));
}

function peek(context: OperationContext, body: Arguments): BodyWriter | undefined {
  const from = body.integer('from-sequence-number', Number.NEGATIVE_INFINITY);
  const count = Math.min(body.integer('message-count', 1), LIMITS.peekCount);
  const omitBody = body.optionalBoolean('omit-message-body') ?? false;
  const found = source(context).peek(Math.max(0, from), count, body.optionalText('session-id'));
  if (found.length === 0) return undefined;
  // One reply is one message: it ends before it is larger than messages may be.
  let left = context.broker.limits.maxBatchBytes;
  const fitting = found.filter(({ content }, index) => {
    left -= content.size;
    return index === 0 || left > 0;
  });
  return entry('messages', (writer) => {
    writeList(writer, fitting, (message) => {
      entry('message', (inner) => inner.binary(encoded(message, 'peek', omitBody)))(writer);
    });
  });
}

function schedule(context: OperationContext, body: Arguments): BodyWriter {
  const now = context.broker.now();
  const messages = body.list('messages').map((item) => {
    const bytes = item instanceof Map ? item.get('message') : undefined;
    if (!Buffer.isBuffer(bytes)) return bad('messages contains an item that is not a map with a message');
    return Content.read(bytes, now).identified();
  });
  if (messages.some(({ scheduledAtMs }) => scheduledAtMs === 0)) {
    bad('A message to schedule has no x-opt-scheduled-enqueue-time');
  }
  const numbers = target(context).send(messages);
  return entry('sequence-numbers', (writer) => writer.array(CODE.long, numbers, (number) => writer.int64(number)));
}

function cancelScheduled(context: OperationContext, body: Arguments): BodyWriter {
  target(context).cancelScheduled(body.longs('sequence-numbers'));
  return nothing;
}

function receiveDeferred(context: OperationContext, body: Arguments): BodyWriter {
  const mode = body.integer('receiver-settle-mode', 0) === 0 ? 'receive-and-delete' : 'peek-lock';
  const numbers = body.longs('sequence-numbers');
  const received = source(context).receiveDeferred(numbers, mode, body.optionalText('session-id'));
  return entry('messages', (writer) => {
    writeList(writer, received, ({ message, lockToken, lockedUntilMs }) => {
      const map = writer.openMap();
      if (lockToken !== undefined) {
        writer.string('lock-token');
        writer.uuid(lockToken);
      }
      writer.string('message');
      writer.binary(encoded(message, { lockedUntilMs, lockToken }, false));
      writer.close(map, lockToken === undefined ? 2 : 4);
    });
  });
}

function updateDisposition(context: OperationContext, body: Arguments): BodyWriter {
  const from = source(context);
  const outcome = outcomeOf(body);
  const sessionId = body.optionalText('session-id');
  for (const token of body.uuids('lock-tokens')) from.settle(token, outcome, sessionId);
  return nothing;
}

function outcomeOf(body: Arguments): Outcome {
  const modify = modification(body.get('properties-to-modify'));
  const status = body.text('disposition-status');
  switch (status) {
    case 'completed':
      return { kind: 'complete' };
    case 'abandoned':
      return { kind: 'abandon', ...modify };
    // So spelt by the service; the other way by some who speak to it.
    case 'defered':
    case 'deferred':
      return { kind: 'defer', ...modify };
    case 'suspended': {
      const reason = body.optionalText('deadletter-reason');
      const description = body.optionalText('deadletter-description');
      return {
        kind: 'dead-letter',
        ...(reason === undefined ? undefined : { reason }),
        ...(description === undefined ? undefined : { description }),
        ...modify,
      };
    }
    default:
      return bad(`${status} is not a valid disposition-status`);
  }
}

function batchDelete(context: OperationContext, body: Arguments): BodyWriter {
  const count = Math.min(body.integer('message-count', 1), LIMITS.batchDeleteCount);
  const before = body.time('enqueued-time-utc');
  const deleted = source(context).deleteBatch(count, before, body.optionalText('session-id'));
  return entry('message-count', (writer) => writer.int(deleted));
}

function encoded(message: StoredMessage, handed: Handed, omitBody: boolean): Buffer {
  const writer = new Writer(message.content.size + 512);
  writeForDelivery(writer, message, handed, omitBody);
  return writer.takeBytes();
}

function writeList<T>(writer: Writer, items: readonly T[], write: (item: T) => void): void {
  const list = writer.openList();
  for (const item of items) write(item);
  writer.close(list, items.length);
}
