import type { CreateQueueOptions, CreateSubscriptionOptions, CreateTopicOptions } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpNamespace } from './namespace.ts';

let namespace: HttpNamespace;
let premium: HttpNamespace;

beforeAll(async () => {
  [namespace, premium] = await Promise.all([HttpNamespace.start(), HttpNamespace.start('premium')]);
  namespace.broker.entities.createTopic('t');
  namespace.broker.entities.createQueue('target');
  namespace.broker.entities.createQueue('q');
  namespace.broker.entities.createSubscription('t', 's');
});
afterAll(async () => {
  await namespace.close();
  await premium.close();
});

const key = (bytes: number): string => Buffer.alloc(bytes, 'k').toString('base64');
const rule = (change: object) => [
  {
    claimType: 'SharedAccessKey',
    keyName: 'k',
    accessRights: ['Send'],
    primaryKey: key(32),
    secondaryKey: key(32),
    ...change,
  },
];
const refused = { statusCode: 400, code: 'ServiceError', message: expect.stringMatching(/\S+ TrackingId:/) };

let made = 0;
const name = (): string => `made-${made++}`;

/** Each pair: the last value that is taken, and the first that is not. */
describe('what a description may say', () => {
  it.each<[string, CreateQueueOptions, CreateQueueOptions]>([
    ['shortest lock', { lockDuration: 'PT5S' }, { lockDuration: 'PT4.999S' }],
    ['longest lock', { lockDuration: 'PT5M' }, { lockDuration: 'PT5M0.001S' }],
    ['shortest life', { defaultMessageTimeToLive: 'PT1S' }, { defaultMessageTimeToLive: 'PT0.999S' }],
    [
      'longest span',
      { defaultMessageTimeToLive: 'P10675199DT2H48M5.4775807S' },
      { defaultMessageTimeToLive: 'P10675199DT2H48M5.4775808S' },
    ],
    ['shortest idleness', { autoDeleteOnIdle: 'PT5M' }, { autoDeleteOnIdle: 'PT4M59S' }],
    [
      'shortest history',
      { duplicateDetectionHistoryTimeWindow: 'PT20S' },
      { duplicateDetectionHistoryTimeWindow: 'PT19S' },
    ],
    [
      'longest history',
      { duplicateDetectionHistoryTimeWindow: 'P7D' },
      { duplicateDetectionHistoryTimeWindow: 'P7DT1S' },
    ],
    ['fewest deliveries', { maxDeliveryCount: 1 }, { maxDeliveryCount: 0 }],
    ['most deliveries', { maxDeliveryCount: 2_000 }, { maxDeliveryCount: 2_001 }],
    ['sizes', { maxSizeInMegabytes: 5_120 }, { maxSizeInMegabytes: 10_240 }],
    ['whole sizes', { maxSizeInMegabytes: 1_024 }, { maxSizeInMegabytes: 1_500 }],
    ['metadata', { userMetadata: 'm'.repeat(1_024) }, { userMetadata: 'm'.repeat(1_025) }],
    ['a larger message than the tier has', { maxMessageSizeInKilobytes: 256 }, { maxMessageSizeInKilobytes: 1_024 }],
    ['a smaller message', {}, { maxMessageSizeInKilobytes: 255 }],
    ['states', { status: 'SendDisabled' }, { status: 'Restoring' }],
    ['express and duplicates', { enableExpress: true }, { enableExpress: true, requiresDuplicateDetection: true }],
    [
      'forwarding with sessions',
      { requiresSession: true, forwardDeadLetteredMessagesTo: 'target' },
      { requiresSession: true, forwardTo: 'target' },
    ],
    [
      'key of an authorization rule',
      { authorizationRules: rule({}) as never },
      { authorizationRules: rule({ primaryKey: key(31) }) as never },
    ],
    ['key in Base64', {}, { authorizationRules: rule({ secondaryKey: '*'.repeat(44) }) as never }],
    [
      'name of a key',
      { authorizationRules: rule({ keyName: 'a.b-c_D!*()' }) as never },
      { authorizationRules: rule({ keyName: 'a/b' }) as never },
    ],
    [
      'length of that',
      { authorizationRules: rule({ keyName: 'k'.repeat(256) }) as never },
      { authorizationRules: rule({ keyName: 'k'.repeat(257) }) as never },
    ],
    ['rights twice', {}, { authorizationRules: rule({ accessRights: ['Send', 'Send'] }) as never }],
    ['no rights', {}, { authorizationRules: rule({ accessRights: [] }) as never }],
    [
      'Manage alone',
      { authorizationRules: rule({ accessRights: ['Manage', 'Send', 'Listen'] }) as never },
      { authorizationRules: rule({ accessRights: ['Manage'] }) as never },
    ],
    ['claims', {}, { authorizationRules: rule({ claimType: 'Role' }) as never }],
    [
      'number of rules',
      { authorizationRules: Array.from({ length: 12 }, (_, at) => rule({ keyName: `k${at}` })[0]) as never },
      { authorizationRules: Array.from({ length: 13 }, (_, at) => rule({ keyName: `k${at}` })[0]) as never },
    ],
  ])('of a queue: %s', async (_what, taken, beyond) => {
    const client = namespace.client();
    await client.createQueue(name(), taken);
    const other = name();
    await expect(client.createQueue(other, beyond)).rejects.toMatchObject(refused);
    expect(namespace.broker.entities.queue(other)).toBeUndefined();
  });

  it.each<[string, CreateTopicOptions, CreateTopicOptions]>([
    ['shortest life', { defaultMessageTimeToLive: 'PT1S' }, { defaultMessageTimeToLive: 'PT0.5S' }],
    ['shortest idleness', { autoDeleteOnIdle: 'PT5M' }, { autoDeleteOnIdle: 'PT1M' }],
    [
      'longest history',
      { duplicateDetectionHistoryTimeWindow: 'P7D' },
      { duplicateDetectionHistoryTimeWindow: 'P25D' },
    ],
    ['express and duplicates', { enableExpress: true }, { enableExpress: true, requiresDuplicateDetection: true }],
    ['metadata', { userMetadata: 'm'.repeat(1_024) }, { userMetadata: 'm'.repeat(1_025) }],
  ])('of a topic: %s', async (_what, taken, beyond) => {
    const client = namespace.client();
    await client.createTopic(name(), taken);
    await expect(client.createTopic(name(), beyond)).rejects.toMatchObject(refused);
  });

  it.each<[string, CreateSubscriptionOptions, CreateSubscriptionOptions]>([
    ['longest lock', { lockDuration: 'PT5M' }, { lockDuration: 'P25D' }],
    ['shortest idleness', { autoDeleteOnIdle: 'PT5M' }, { autoDeleteOnIdle: 'PT1M' }],
    ['most deliveries', { maxDeliveryCount: 2_000 }, { maxDeliveryCount: 2_001 }],
    ['forwarding with sessions', { forwardTo: 'target' }, { requiresSession: true, forwardTo: 'target' }],
    ['metadata', { userMetadata: 'm'.repeat(1_024) }, { userMetadata: 'm'.repeat(1_025) }],
  ])('of a subscription: %s', async (_what, taken, beyond) => {
    const client = namespace.client();
    await client.createSubscription('t', name(), taken);
    await expect(client.createSubscription('t', name(), beyond)).rejects.toMatchObject(refused);
  });

  it.each<[string, CreateQueueOptions, CreateQueueOptions]>([
    ['smallest largest message', { maxMessageSizeInKilobytes: 1_024 }, { maxMessageSizeInKilobytes: 1_023 }],
    ['largest message', { maxMessageSizeInKilobytes: 102_400 }, { maxMessageSizeInKilobytes: 102_401 }],
    ['sizes', { maxSizeInMegabytes: 81_920 }, { maxSizeInMegabytes: 6_144 }],
    ['partitions', { enablePartitioning: false }, { enablePartitioning: true }],
    ['express', { enableExpress: false }, { enableExpress: true }],
  ])('in the Premium tier: %s', async (_what, taken, beyond) => {
    const client = premium.client();
    await client.createQueue(name(), taken);
    await expect(client.createQueue(name(), beyond)).rejects.toMatchObject(refused);
  });

  it.each<[string, CreateQueueOptions]>([
    ['life', { defaultMessageTimeToLive: 'P1D' }],
    ['idleness', { autoDeleteOnIdle: 'PT1H' }],
    ['history', { duplicateDetectionHistoryTimeWindow: 'PT1M' }],
    ['express', { enableExpress: true }],
    ['sessions', { requiresSession: true }],
    ['duplicates', { requiresDuplicateDetection: true }],
    ['forwarding', { forwardTo: 'plain' }],
  ])('in the Basic tier, not: %s', async (_what, beyond) => {
    const basic = await HttpNamespace.start('basic');
    const client = basic.client();
    const plain = await client.createQueue('plain', { lockDuration: 'PT30S', maxDeliveryCount: 3 });
    await expect(client.createQueue('other', beyond)).rejects.toMatchObject(refused);
    // What is told may be said again.
    expect(await client.updateQueue({ ...plain, maxDeliveryCount: 4 })).toMatchObject({ maxDeliveryCount: 4 });
    await basic.close();
  });

  it('has at most 100 partitioned entities', async () => {
    const full = await HttpNamespace.start();
    for (let index = 0; index < 50; index++) {
      full.broker.entities.createQueue(`q${index}`, { enablePartitioning: true });
      full.broker.entities.createTopic(`t${index}`, { enablePartitioning: true });
    }
    const create = () => full.client().createQueue('more', { enablePartitioning: true });
    await expect(create()).rejects.toMatchObject({
      statusCode: 403,
      code: 'QuotaExceededError',
      message: expect.stringMatching(/^SubCode=40300\./),
    });
    await full.client().createQueue('plain');
    await full.client().deleteQueue('q0');
    await create();
    await full.close();
  });

  it.each([
    ['of a queue', 260, (of: string) => namespace.client().createQueue(of)],
    ['of a topic', 260, (of: string) => namespace.client().createTopic(of)],
    ['of a subscription', 50, (of: string) => namespace.client().createSubscription('t', of)],
    ['of a rule', 50, (of: string) => namespace.client().createRule('t', 's', of, { sqlExpression: '1=1' })],
  ])('in the name %s', async (what, most, create) => {
    const letter = what.at(-1)!;
    await create(letter.repeat(most));
    for (const wrong of [letter.repeat(most + 1), '-a', 'a-', 'a b', 'ä', 'a*', 'a,b']) {
      await expect(create(wrong), wrong).rejects.toMatchObject({ statusCode: 400 });
    }
    for (const right of ['a.b-c_d', '7']) await create(`${right}${letter}`);
  });

  it('says by its own names what is wrong', async () => {
    const client = namespace.client();
    await expect(client.createQueue(name(), { lockDuration: 'P25D' })).rejects.toThrow(
      /^SubCode=40000\. LockDuration is at least 5 s and at most 300 s, not 2160000 s\. TrackingId:/,
    );
    await expect(client.createQueue(name(), { autoDeleteOnIdle: 'PT1S' })).rejects.toThrow(
      /AutoDeleteOnIdle is at least 300 s, not 1 s\./,
    );
    const queue = await client.getQueue('q');
    await expect(client.updateQueue({ ...queue, requiresSession: true })).rejects.toThrow(
      /^SubCode=40000\. RequiresSession of 'q' cannot be changed/,
    );
  });

  it('never changes what was settled when it was created', async () => {
    const client = namespace.client();
    const [queue, topic, subscription] = await Promise.all([
      client.getQueue('q'),
      client.getTopic('t'),
      client.getSubscription('t', 's'),
    ]);
    for (const change of [
      { requiresSession: true },
      { requiresDuplicateDetection: true },
      { enablePartitioning: true },
    ]) {
      await expect(client.updateQueue({ ...queue, ...change })).rejects.toMatchObject(refused);
    }
    for (const change of [{ requiresDuplicateDetection: true }, { enablePartitioning: true }]) {
      await expect(client.updateTopic({ ...topic, ...change })).rejects.toMatchObject(refused);
    }
    await expect(client.updateSubscription({ ...subscription, requiresSession: true })).rejects.toMatchObject(refused);
    await expect(client.updateQueue({ ...queue, forwardTo: 'q' })).rejects.toMatchObject(refused);
    expect(namespace.broker.entities.queue('q')?.description).toMatchObject({
      requiresSession: false,
      forwardTo: undefined,
    });
  });
});
