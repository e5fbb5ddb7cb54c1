/** What a system property holds. */
export type SystemType = 'text' | 'time' | 'span' | 'read-only';

/**
 * The system properties that every message answers for, by the one name it is asked for: to ask for one of these is never
 * an error, so rules that do can be indexed. A message may have others.
 *
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-messages-payloads
 */
export const SYSTEM_PROPERTIES: ReadonlyMap<string, SystemType> = new Map([
  ['contenttype', 'text'],
  ['correlationid', 'text'],
  ['label', 'text'],
  ['messageid', 'text'],
  ['partitionkey', 'text'],
  ['replyto', 'text'],
  ['replytosessionid', 'text'],
  ['sessionid', 'text'],
  ['to', 'text'],
  ['viapartitionkey', 'text'],
  ['scheduledenqueuetimeutc', 'time'],
  ['timetolive', 'span'],
  ['deadlettersource', 'read-only'],
  ['deliverycount', 'read-only'],
  ['enqueuedsequencenumber', 'read-only'],
  ['enqueuedtimeutc', 'read-only'],
  ['expiresatutc', 'read-only'],
  ['lockeduntilutc', 'read-only'],
  ['locktoken', 'read-only'],
  ['sequencenumber', 'read-only'],
  ['size', 'read-only'],
  ['state', 'read-only'],
]);

/** What today's clients call them where the service's own language has an older name. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['subject', 'label'],
  ['transactionpartitionkey', 'viapartitionkey'],
  ['scheduledenqueuetime', 'scheduledenqueuetimeutc'],
  ['enqueuedtime', 'enqueuedtimeutc'],
  ['expiresat', 'expiresatutc'],
  ['lockeduntil', 'lockeduntilutc'],
]);

/** The one name in lower case that a message is asked for. */
export function systemName(written: string): string {
  const lower = written.toLowerCase();
  return OTHER_NAMES.get(lower) ?? lower;
}
