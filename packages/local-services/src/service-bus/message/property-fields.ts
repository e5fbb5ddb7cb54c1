/** Fields of the properties section in their order (AMQP 1.0 part 3, section 3.2.4). */
export const FIELD = {
  messageId: 0,
  userId: 1,
  to: 2,
  subject: 3,
  replyTo: 4,
  correlationId: 5,
  contentType: 6,
  contentEncoding: 7,
  absoluteExpiryTime: 8,
  creationTime: 9,
  groupId: 10,
  groupSequence: 11,
  replyToGroupId: 12,
} as const;

export const FIELD_COUNT = 13;

/** System properties, as rules and actions name them in lower case, that are fields of the properties section. */
export const FIELD_OF_NAME: ReadonlyMap<string, number> = new Map([
  ['messageid', FIELD.messageId],
  ['to', FIELD.to],
  ['subject', FIELD.subject],
  ['label', FIELD.subject],
  ['replyto', FIELD.replyTo],
  ['correlationid', FIELD.correlationId],
  ['contenttype', FIELD.contentType],
  ['sessionid', FIELD.groupId],
  ['replytosessionid', FIELD.replyToGroupId],
]);

/** Annotations that the broker sets: a sender's own are left out. */
export const ANNOTATION = {
  enqueuedTime: 'x-opt-enqueued-time',
  sequenceNumber: 'x-opt-sequence-number',
  enqueueSequenceNumber: 'x-opt-enqueue-sequence-number',
  lockedUntil: 'x-opt-locked-until',
  deadLetterSource: 'x-opt-deadletter-source',
  messageState: 'x-opt-message-state',
  offset: 'x-opt-offset',
  partitionId: 'x-opt-partition-id',
} as const;

/** The delivery annotation that the broker sets. */
export const LOCK_TOKEN_ANNOTATION = 'x-opt-lock-token';

export const BROKER_ANNOTATIONS: ReadonlySet<string> = new Set(Object.values(ANNOTATION));

/** Annotations that a sender sets. */
export const SENDER_ANNOTATION = {
  scheduledEnqueueTime: 'x-opt-scheduled-enqueue-time',
  partitionKey: 'x-opt-partition-key',
  viaPartitionKey: 'x-opt-via-partition-key',
} as const;

/** System properties that are annotations of the sender. */
export const ANNOTATION_OF_NAME: ReadonlyMap<string, string> = new Map([
  ['partitionkey', SENDER_ANNOTATION.partitionKey],
  ['viapartitionkey', SENDER_ANNOTATION.viaPartitionKey],
  ['scheduledenqueuetimeutc', SENDER_ANNOTATION.scheduledEnqueueTime],
]);

/** System properties that the broker sets only after rules have seen the message, or that it never sets here: null to them. */
export const LATER_NAMES: ReadonlySet<string> = new Set([
  'enqueuedtimeutc',
  'enqueuedsequencenumber',
  'sequencenumber',
  'deliverycount',
  'lockeduntilutc',
  'locktoken',
  'deadlettersource',
  'expiresatutc',
  'state',
  'forcepersistence',
  'transactionid',
]);
