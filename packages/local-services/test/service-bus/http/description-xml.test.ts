import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  AuthorizationRule,
  EntityStatus,
  PassedOver,
  QueueDescription,
  QueueInfo,
  SubscriptionDescription,
  SubscriptionInfo,
  TopicDescription,
  TopicInfo,
} from '../../../src/service-bus/broker/index.ts';
import { type Part, readParts, writeParts } from '../../../src/service-bus/http/atom/part.ts';
import { QUEUE_PARTS } from '../../../src/service-bus/http/atom/queue.ts';
import { SUBSCRIPTION_PARTS } from '../../../src/service-bus/http/atom/subscription.ts';
import { TOPIC_PARTS } from '../../../src/service-bus/http/atom/topic.ts';
import { SERVICE_BUS, XSI } from '../../../src/service-bus/http/xml/namespaces.ts';
import { readXml } from '../../../src/service-bus/http/xml/read.ts';
import { createRoot, declare, serialize } from '../../../src/service-bus/http/xml/write.ts';

const context = {
  origin: 'http://localhost:1',
  host: 'localhost:1',
  hostNames: new Set(['localhost']),
  version: '2021-05',
} as const;

const duration = fc.oneof(fc.integer({ min: 0, max: 1e13 }), fc.constant(Infinity));
const count = fc.nat({ max: 1e9 });
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const path = fc.stringMatching(/^[a-z][a-z0-9._/-]{0,20}[a-z0-9]$/);
const passedOver = fc.constant<PassedOver>(new Map());
const forward = fc.option(path, { nil: undefined });
const status = fc.constantFrom<EntityStatus>('Active', 'Disabled', 'SendDisabled', 'ReceiveDisabled');
const rights = fc.constantFrom<AuthorizationRule['rights']>(
  ['manage', 'send', 'listen'],
  ['send'],
  ['listen'],
  ['send', 'listen'],
);
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const authorizationRules = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-z][\w.-]{0,10}$/),
    rights,
    primaryKey: key,
    secondaryKey: key,
  }),
  { selector: (rule) => rule.name.toLowerCase(), maxLength: 4 },
);

const queue: fc.Arbitrary<QueueDescription> = fc.record({
  lockDurationMs: duration,
  maxSizeInMegabytes: count,
  requiresDuplicateDetection: fc.boolean(),
  requiresSession: fc.boolean(),
  defaultMessageTimeToLiveMs: duration,
  deadLetteringOnMessageExpiration: fc.boolean(),
  duplicateDetectionHistoryTimeWindowMs: duration,
  maxDeliveryCount: count,
  enableBatchedOperations: fc.boolean(),
  status,
  forwardTo: forward,
  forwardDeadLetteredMessagesTo: forward,
  userMetadata: text,
  autoDeleteOnIdleMs: duration,
  enablePartitioning: fc.boolean(),
  enableExpress: fc.boolean(),
  maxMessageSizeInKilobytes: count,
  authorizationRules,
  passedOver,
});
const topic: fc.Arbitrary<TopicDescription> = fc.record({
  defaultMessageTimeToLiveMs: duration,
  maxSizeInMegabytes: count,
  requiresDuplicateDetection: fc.boolean(),
  duplicateDetectionHistoryTimeWindowMs: duration,
  enableBatchedOperations: fc.boolean(),
  status,
  userMetadata: text,
  supportOrdering: fc.boolean(),
  autoDeleteOnIdleMs: duration,
  enablePartitioning: fc.boolean(),
  enableExpress: fc.boolean(),
  maxMessageSizeInKilobytes: count,
  authorizationRules,
  passedOver,
});
const subscription: fc.Arbitrary<SubscriptionDescription> = fc.record({
  lockDurationMs: duration,
  requiresSession: fc.boolean(),
  defaultMessageTimeToLiveMs: duration,
  deadLetteringOnMessageExpiration: fc.boolean(),
  deadLetteringOnFilterEvaluationExceptions: fc.boolean(),
  maxDeliveryCount: count,
  enableBatchedOperations: fc.boolean(),
  status,
  forwardTo: forward,
  forwardDeadLetteredMessagesTo: forward,
  userMetadata: text,
  autoDeleteOnIdleMs: duration,
  passedOver,
});

const told = {
  path: 'p',
  topic: 't',
  name: 'n',
  createdAtMs: 1,
  updatedAtMs: 2,
  accessedAtMs: 0,
  sizeInBytes: 0,
  subscriptionCount: 0,
  counts: { active: 1, deadLettered: 2, scheduled: 3, transfer: 4, transferDeadLettered: 5 },
};

function roundTrip<
  Description extends { passedOver: PassedOver },
  Info extends { readonly description: { readonly passedOver: PassedOver } },
>(parts: readonly Part<Description, Info>[], info: Info): Partial<Description> {
  const root = createRoot(SERVICE_BUS, 'Description');
  declare(root, 'i', XSI);
  writeParts(root, parts, info, context);
  return readParts(readXml(Buffer.from(serialize(root))), parts, context);
}

/** What is not set is not written, so it is not read. */
const present = (description: object) =>
  Object.fromEntries(Object.entries(description).filter(([, value]) => value !== undefined && value !== ''));

describe('descriptions are read back as they were written', () => {
  it('of queues', () => {
    fc.assert(
      fc.property(queue, (description) => {
        const info = { ...told, kind: 'queue', description } as unknown as QueueInfo;
        expect(roundTrip(QUEUE_PARTS, info)).toEqual(present(description));
      }),
    );
  });
  it('of topics', () => {
    fc.assert(
      fc.property(topic, (description) => {
        const info = { ...told, kind: 'topic', description } as unknown as TopicInfo;
        expect(roundTrip(TOPIC_PARTS, info)).toEqual(present(description));
      }),
    );
  });
  it('of subscriptions', () => {
    fc.assert(
      fc.property(subscription, (description) => {
        const info = { ...told, kind: 'subscription', description } as unknown as SubscriptionInfo;
        expect(roundTrip(SUBSCRIPTION_PARTS, info)).toEqual(present(description));
      }),
    );
  });
});
