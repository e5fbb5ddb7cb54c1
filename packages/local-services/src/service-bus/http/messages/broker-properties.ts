import { badRequest, parseHttpDate } from '../../../http/index.ts';
import { LONGEST_MS, parseTimeSpan } from '../../../time/duration.ts';
import type { StoredMessage } from '../../broker/api.ts';
import type { Content, MessageParts } from '../../message/index.ts';

/** What a sender may say in the `BrokerProperties` header, or in the object of that name of a batch. */
export type SentProperties = Omit<MessageParts, 'body' | 'applicationProperties' | 'contentType'>;

const TEXTS = [
  ['CorrelationId', 'correlationId'],
  ['Label', 'subject'],
  ['MessageId', 'messageId'],
  ['PartitionKey', 'partitionKey'],
  ['ReplyTo', 'replyTo'],
  ['ReplyToSessionId', 'replyToSessionId'],
  ['SessionId', 'sessionId'],
  ['To', 'to'],
  ['ViaPartitionKey', 'viaPartitionKey'],
] as const;

/** Names the service has no use for are ignored, as its documentation says. @throws HttpError 400 */
export function readBrokerProperties(value: unknown): SentProperties {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw badRequest('BrokerProperties is not a JSON object.');
  const properties = value as Readonly<Record<string, unknown>>;
  const given = (name: string): unknown =>
    Object.hasOwn(properties, name) ? (properties[name] ?? undefined) : undefined;
  const read: { -readonly [Key in keyof SentProperties]: SentProperties[Key] } = {};
  for (const [name, key] of TEXTS) {
    const text = given(name);
    if (text === undefined) continue;
    if (typeof text !== 'string') throw badRequest(`BrokerProperties: '${name}' is not a string.`);
    read[key] = text;
  }
  const { sessionId, partitionKey } = read;
  if (sessionId !== undefined && partitionKey !== undefined && sessionId !== partitionKey) {
    throw badRequest('BrokerProperties: SessionId and PartitionKey must be the same when both are set.');
  }
  const timeToLiveMs = readTimeToLive(given('TimeToLive'), given('TimeToLiveTimeSpan'));
  if (timeToLiveMs !== undefined && timeToLiveMs < LONGEST_MS) read.timeToLiveMs = timeToLiveMs;
  const scheduled = given('ScheduledEnqueueTimeUtc');
  if (scheduled !== undefined) {
    const ms = typeof scheduled === 'string' ? parseHttpDate(scheduled) : undefined;
    if (ms === undefined) throw badRequest("BrokerProperties: 'ScheduledEnqueueTimeUtc' is not a date.");
    read.scheduledAtMs = ms;
  }
  return read;
}

/** @param seconds of `TimeToLive` @param span of `TimeToLiveTimeSpan` @returns ms */
function readTimeToLive(seconds: unknown, span: unknown): number | undefined {
  if (seconds === undefined && span === undefined) return undefined;
  const ms =
    seconds === undefined
      ? typeof span === 'string'
        ? parseTimeSpan(span)
        : undefined
      : typeof seconds === 'number'
        ? seconds * 1000
        : undefined;
  if (ms !== undefined && ms > 0) return ms;
  const name = seconds === undefined ? 'TimeToLiveTimeSpan' : 'TimeToLive';
  throw badRequest(`BrokerProperties: '${name}' is not a time of more than nothing.`);
}

/** .NET's longest time span in seconds: no time to live. */
const FOREVER_S = 922_337_203_685.4775;

/** @returns JSON in ASCII, as a header can hold it */
export function writeBrokerProperties(
  message: StoredMessage,
  content: Content,
  lock: { readonly token: string; readonly untilMs: number } | undefined,
): string {
  const sent = content.brokerProperties;
  const ttlMs = message.expiresAtMs - message.enqueuedAtMs;
  const properties = {
    CorrelationId: sent.correlationId,
    DeadLetterSource: message.deadLetterSource,
    DeliveryCount: message.deliveryCount + 1,
    EnqueuedSequenceNumber: message.enqueuedSequenceNumber,
    EnqueuedTimeUtc: new Date(message.enqueuedAtMs).toUTCString(),
    Label: sent.subject,
    LockToken: lock?.token,
    LockedUntilUtc: lock === undefined ? undefined : new Date(lock.untilMs).toUTCString(),
    MessageId: sent.messageId,
    PartitionKey: sent.partitionKey,
    ReplyTo: sent.replyTo,
    ReplyToSessionId: sent.replyToSessionId,
    ScheduledEnqueueTimeUtc: sent.scheduledAtMs === undefined ? undefined : new Date(sent.scheduledAtMs).toUTCString(),
    SequenceNumber: message.sequenceNumber,
    SessionId: sent.sessionId,
    State: 'Active',
    TimeToLive: ttlMs === Infinity ? FOREVER_S : ttlMs / 1000,
    To: sent.to,
    ViaPartitionKey: sent.viaPartitionKey,
  };
  return toAscii(JSON.stringify(properties));
}

/** Escapes what a header cannot hold; in JSON it can stand in strings only. */
export const toAscii = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
