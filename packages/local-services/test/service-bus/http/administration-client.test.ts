import type { ServiceBusAdministrationClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpNamespace } from './namespace.ts';

const FOREVER = 'P10675199DT2H48M5.4775807S';

let namespace: HttpNamespace;
let client: ServiceBusAdministrationClient;

beforeAll(async () => {
  namespace = await HttpNamespace.start();
  client = namespace.client();
});
afterAll(() => namespace.close());

const collect = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
};

describe("the vendor's administration client: queues", () => {
  it('creates one with the defaults of the service', async () => {
    const created = await client.createQueue('defaults');
    expect(created._response.status).toBe(201);
    const { _response, ...queue } = created;
    expect(queue).toEqual({
      name: 'defaults',
      lockDuration: 'PT1M',
      maxSizeInMegabytes: 1024,
      requiresDuplicateDetection: false,
      requiresSession: false,
      defaultMessageTimeToLive: FOREVER,
      deadLetteringOnMessageExpiration: false,
      duplicateDetectionHistoryTimeWindow: 'PT10M',
      maxDeliveryCount: 10,
      enableBatchedOperations: true,
      authorizationRules: undefined,
      status: 'Active',
      forwardTo: undefined,
      userMetadata: undefined,
      autoDeleteOnIdle: FOREVER,
      enablePartitioning: false,
      forwardDeadLetteredMessagesTo: undefined,
      availabilityStatus: 'Available',
      enableExpress: false,
      maxMessageSizeInKilobytes: 256,
    });
    const { _response: again, ...read } = await client.getQueue('defaults');
    expect(again.status).toBe(200);
    expect(read).toEqual(queue);
  });

  it('creates one with everything set, updates and deletes it', async () => {
    await client.createQueue('target/of/all');
    const wanted = {
      lockDuration: 'PT45S',
      maxSizeInMegabytes: 2048,
      requiresDuplicateDetection: true,
      requiresSession: true,
      defaultMessageTimeToLive: 'P2DT3H',
      deadLetteringOnMessageExpiration: true,
      duplicateDetectionHistoryTimeWindow: 'PT2M',
      maxDeliveryCount: 8,
      enableBatchedOperations: false,
      status: 'ReceiveDisabled' as const,
      userMetadata: '<ümläut> & "more"',
      autoDeleteOnIdle: 'PT1H',
      enablePartitioning: true,
      forwardDeadLetteredMessagesTo: 'target/of/all',
    };
    const created = await client.createQueue('a/full/one', { ...wanted });
    // The size is said for one partition.
    const told = { ...wanted, maxSizeInMegabytes: 2048 * 16 };
    expect(created).toMatchObject({
      ...told,
      name: 'a/full/one',
      forwardDeadLetteredMessagesTo: `sb://${namespace.host}/target/of/all`,
    });
    const updated = await client.updateQueue({ ...created, maxDeliveryCount: 3, status: 'Active' });
    expect(updated._response.status).toBe(200);
    expect(updated).toMatchObject({
      ...told,
      maxDeliveryCount: 3,
      status: 'Active',
      forwardDeadLetteredMessagesTo: created.forwardDeadLetteredMessagesTo,
    });
    expect(namespace.broker.entities.queue('A/Full/One')?.description).toMatchObject({
      forwardDeadLetteredMessagesTo: 'target/of/all',
      userMetadata: wanted.userMetadata,
      maxDeliveryCount: 3,
    });
    const { _response: _, forwardDeadLetteredMessagesTo: __, userMetadata: ___, ...rest } = updated;
    const cleared = await client.updateQueue(rest as typeof updated);
    expect(cleared.forwardDeadLetteredMessagesTo).toBeUndefined();
    expect(cleared.userMetadata).toBeUndefined();
    await client.deleteQueue('a/full/one');
    expect(await client.queueExists('a/full/one')).toBe(false);
    expect(await client.queueExists('target/of/all')).toBe(true);
  });

  it('forwards to a queue of this namespace, by any of its names, and to no other', async () => {
    await client.createQueue('final');
    const named = (name: string, forwardTo: string) => client.createQueue(name, { forwardTo });
    expect((await named('by-path', 'final')).forwardTo).toBe(`sb://${namespace.host}/final`);
    expect((await named('by-url', `sb://127.0.0.1:1/final`)).forwardTo).toBe(`sb://${namespace.host}/final`);
    await expect(named('by-other', 'sb://elsewhere.example/final')).rejects.toMatchObject({ statusCode: 400 });
    await expect(named('by-none', 'nothing')).rejects.toMatchObject({ statusCode: 404 });
    expect(namespace.broker.entities.queue('by-url')?.description.forwardTo).toBe('final');
    await client.updateQueue({ ...(await client.getQueue('by-url')), forwardTo: undefined } as never);
    expect(namespace.broker.entities.queue('by-url')?.description.forwardTo).toBeUndefined();
  });

  it('keeps the case of an URL to forward to, but for its host', async () => {
    await client.createQueue('Shouted');
    await client.createTopic('shouting');
    const url = `sb://${namespace.host}/Shouted`.toUpperCase();
    const { forwardTo, forwardDeadLetteredMessagesTo } = await client.createSubscription('shouting', 's', {
      forwardTo: url,
      forwardDeadLetteredMessagesTo: url,
    });
    expect([forwardTo, forwardDeadLetteredMessagesTo]).toEqual(Array(2).fill(`sb://${namespace.host}/SHOUTED`));
    await client.deleteTopic('shouting');
    await client.deleteQueue('shouted');
  });

  it('may be listed while names change around a page', async () => {
    const some = await HttpNamespace.start();
    const lister = some.client();
    for (const name of ['d', 'B', 'a', 'C']) await lister.createQueue(name);
    const pages = lister.listQueues().byPage({ maxPageSize: 2 });
    expect((await pages.next()).value.map(({ name }: { name: string }) => name)).toEqual(['a', 'B']);
    await lister.createQueue('e');
    expect((await pages.next()).value.map(({ name }: { name: string }) => name)).toEqual(['C', 'd']);
    expect((await pages.next()).value.map(({ name }: { name: string }) => name)).toEqual(['e']);
    await some.close();
  });

  it('gives and keeps authorization rules', async () => {
    const [primaryKey, secondaryKey] = ['p', 's'].map((letter) => Buffer.alloc(32, letter).toString('base64')) as [
      string,
      string,
    ];
    const { authorizationRules } = await client.createQueue('ruled', {
      authorizationRules: [
        {
          claimType: 'SharedAccessKey',
          keyName: 'both',
          accessRights: ['Send', 'Listen'],
          primaryKey,
          secondaryKey,
        },
        { claimType: 'SharedAccessKey', keyName: 'one', accessRights: ['Listen'] } as never,
      ],
    });
    expect(authorizationRules).toEqual([
      {
        claimType: 'SharedAccessKey',
        keyName: 'both',
        accessRights: ['Send', 'Listen'],
        primaryKey,
        secondaryKey,
      },
      expect.objectContaining({
        keyName: 'one',
        accessRights: ['Listen'],
        primaryKey: expect.stringMatching(/^.{44}$/),
      }),
    ]);
    expect((await client.getQueue('ruled')).authorizationRules).toEqual(authorizationRules);
    const clash = [1, 2].map(() => ({
      claimType: 'SharedAccessKey',
      keyName: 'x',
      accessRights: ['Send'],
      primaryKey,
    }));
    await expect(client.createQueue('clash', { authorizationRules: clash as never })).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  it('tells what is in it', async () => {
    await client.createQueue('counted', { requiresSession: false });
    const before = Date.now();
    await namespace.ask('POST', 'counted/messages', { body: 'one' });
    await namespace.ask('POST', 'counted/messages', {
      body: 'later',
      headers: {
        BrokerProperties: JSON.stringify({ ScheduledEnqueueTimeUtc: new Date(before + 3_600_000).toUTCString() }),
      },
    });
    const counts = await client.getQueueRuntimeProperties('counted');
    expect(counts).toMatchObject({
      name: 'counted',
      totalMessageCount: 2,
      activeMessageCount: 1,
      scheduledMessageCount: 1,
      deadLetterMessageCount: 0,
      transferMessageCount: 0,
      transferDeadLetterMessageCount: 0,
    });
    expect(counts.sizeInBytes).toBeGreaterThan(7);
    expect(counts.createdAt.getTime()).toBeGreaterThan(before - 60_000);
    expect(counts.modifiedAt.getTime()).toBeGreaterThanOrEqual(counts.createdAt.getTime());
    expect((await collect(client.listQueuesRuntimeProperties())).map(({ name }) => name)).toContain('counted');
  });

  it('says what is wrong', async () => {
    await client.createQueue('there');
    await expect(client.createQueue('there')).rejects.toMatchObject({
      statusCode: 409,
      code: 'MessageEntityAlreadyExistsError',
    });
    await expect(client.createTopic('THERE')).rejects.toMatchObject({ statusCode: 409 });
    await expect(client.getQueue('not-there')).rejects.toMatchObject({ code: 'MessageEntityNotFoundError' });
    await expect(client.deleteQueue('not-there')).rejects.toMatchObject({
      statusCode: 404,
      code: 'MessageEntityNotFoundError',
    });
    await expect(client.updateQueue({ ...(await client.getQueue('there')), name: 'not-there' })).rejects.toMatchObject({
      statusCode: 404,
    });
    await expect(
      client.updateQueue({ ...(await client.getQueue('there')), requiresSession: true }),
    ).rejects.toMatchObject({ statusCode: 400 });
    await expect(client.createQueue('bad name!')).rejects.toMatchObject({ statusCode: 400 });
    await expect(client.createQueue('x'.repeat(261))).rejects.toMatchObject({ statusCode: 400 });
    await expect(client.createQueue('bad-lock', { lockDuration: 'PT6M' })).rejects.toMatchObject({ statusCode: 400 });
    await expect(client.createQueue('bad-text', { lockDuration: 'soon' })).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringMatching(/'soon' of 'LockDuration'.*TrackingId:.*SystemTracker:.*Timestamp:/),
    });
    expect(await client.queueExists('bad-text')).toBe(false);
  });
});

describe("the vendor's administration client: topics, subscriptions, rules", () => {
  it('has topics', async () => {
    const { _response, ...topic } = await client.createTopic('t/defaults');
    expect(topic).toEqual({
      name: 't/defaults',
      maxSizeInMegabytes: 1024,
      enablePartitioning: false,
      supportOrdering: true,
      enableBatchedOperations: true,
      defaultMessageTimeToLive: FOREVER,
      autoDeleteOnIdle: FOREVER,
      requiresDuplicateDetection: false,
      duplicateDetectionHistoryTimeWindow: 'PT10M',
      authorizationRules: undefined,
      userMetadata: undefined,
      status: 'Active',
      enableExpress: false,
      availabilityStatus: 'Available',
      maxMessageSizeInKilobytes: 256,
    });
    const updated = await client.updateTopic({
      ...(await client.getTopic('t/defaults')),
      status: 'SendDisabled',
      userMetadata: 'm',
    });
    expect(updated).toMatchObject({ status: 'SendDisabled', userMetadata: 'm' });
    expect(await client.topicExists('t/defaults')).toBe(true);
    expect((await collect(client.listTopics())).map(({ name }) => name)).toEqual(['t/defaults']);
    expect(await collect(client.listTopicsRuntimeProperties())).toMatchObject([
      { name: 't/defaults', subscriptionCount: 0 },
    ]);
    await client.deleteTopic('t/defaults');
    expect(await client.topicExists('t/defaults')).toBe(false);
    await expect(client.getTopic('t/defaults')).rejects.toMatchObject({ code: 'MessageEntityNotFoundError' });
  });

  it('has subscriptions', async () => {
    await client.createTopic('deep/news');
    const { _response, ...subscription } = await client.createSubscription('deep/news', 'all');
    expect(subscription).toEqual({
      topicName: 'deep/news',
      subscriptionName: 'all',
      lockDuration: 'PT1M',
      requiresSession: false,
      defaultMessageTimeToLive: FOREVER,
      deadLetteringOnMessageExpiration: false,
      deadLetteringOnFilterEvaluationExceptions: true,
      maxDeliveryCount: 10,
      enableBatchedOperations: true,
      status: 'Active',
      forwardTo: undefined,
      forwardDeadLetteredMessagesTo: undefined,
      userMetadata: undefined,
      autoDeleteOnIdle: FOREVER,
      availabilityStatus: 'Available',
    });
    await client.createQueue('archive');
    const full = await client.createSubscription('deep/news', 'full', {
      requiresSession: true,
      deadLetteringOnFilterEvaluationExceptions: false,
      autoDeleteOnIdle: 'PT5M',
      forwardDeadLetteredMessagesTo: 'archive',
      defaultRuleOptions: {
        name: 'only-red',
        filter: { sqlExpression: "color = 'red'" },
        action: { sqlExpression: 'SET x = 1' },
      },
    });
    expect(full).toMatchObject({
      requiresSession: true,
      autoDeleteOnIdle: 'PT5M',
      forwardDeadLetteredMessagesTo: `sb://${namespace.host}/archive`,
    });
    expect(await collect(client.listRules('deep/news', 'full'))).toMatchObject([
      { name: 'only-red', filter: { sqlExpression: "color = 'red'" }, action: { sqlExpression: 'SET x = 1' } },
    ]);
    await namespace.ask('POST', 'deep/news/messages', { body: 'x' });
    expect(await client.getSubscriptionRuntimeProperties('deep/news', 'all')).toMatchObject({
      topicName: 'deep/news',
      subscriptionName: 'all',
      totalMessageCount: 1,
      activeMessageCount: 1,
    });
    expect(
      (await collect(client.listSubscriptions('deep/news'))).map(({ subscriptionName }) => subscriptionName),
    ).toEqual(['all', 'full']);
    expect(await collect(client.listSubscriptionsRuntimeProperties('deep/news'))).toMatchObject([
      { activeMessageCount: 1 },
      { activeMessageCount: 0 },
    ]);
    expect(await client.getTopicRuntimeProperties('deep/news')).toMatchObject({
      subscriptionCount: 2,
      scheduledMessageCount: 0,
    });
    const updated = await client.updateSubscription({ ...full, maxDeliveryCount: 2, requiresSession: true });
    expect(updated).toMatchObject({ maxDeliveryCount: 2, subscriptionName: 'full' });
    await client.deleteSubscription('deep/news', 'full');
    expect(await client.subscriptionExists('deep/news', 'full')).toBe(false);
    expect(await client.subscriptionExists('deep/news', 'all')).toBe(true);
    await expect(client.createSubscription('deep/news', 'ALL')).rejects.toMatchObject({
      statusCode: 409,
      code: 'MessageEntityAlreadyExistsError',
    });
    await expect(client.createSubscription('nowhere', 's')).rejects.toMatchObject({ statusCode: 404 });
    await expect(client.getSubscription('deep/news', 'none')).rejects.toMatchObject({
      code: 'MessageEntityNotFoundError',
    });
    await expect(collect(client.listSubscriptions('nowhere'))).rejects.toMatchObject({ statusCode: 404 });
  });

  it('has rules, with every kind of filter and typed values', async () => {
    await client.createTopic('ruled-topic');
    await client.createSubscription('ruled-topic', 's');
    const when = new Date('2020-01-02T03:04:05.678Z');
    const sqlParameters = { '@text': 'a<b', '@number': 1.5, '@whole': 7, '@yes': true, '@when': when as never };
    const sql = await client.createRule(
      'ruled-topic',
      's',
      'sql',
      { sqlExpression: 'a = @text OR b = @number OR b = @whole OR c = @yes OR d = @when', sqlParameters },
      { sqlExpression: 'SET e = @text; REMOVE f', sqlParameters: { '@text': 'x' } },
    );
    expect(sql).toMatchObject({
      name: 'sql',
      filter: { sqlParameters },
      action: { sqlExpression: 'SET e = @text; REMOVE f', sqlParameters: { '@text': 'x' } },
    });
    const filter = {
      correlationId: 'c',
      subject: 's',
      to: 't',
      replyTo: 'r',
      replyToSessionId: 'rs',
      sessionId: 'si',
      messageId: 'm',
      contentType: 'ct',
      applicationProperties: { color: 'red', size: 5, big: false, since: when },
    };
    const correlation = await client.createRule('ruled-topic', 's', 'correlation', filter);
    expect(correlation.filter).toEqual(filter);
    expect(await client.getRule('ruled-topic', 's', 'correlation')).toMatchObject({ filter });
    // In the order of their names.
    expect((await collect(client.listRules('ruled-topic', 's'))).map(({ name }) => name)).toEqual([
      '$Default',
      'correlation',
      'sql',
    ]);
    const changed = await client.updateRule('ruled-topic', 's', {
      ...sql,
      filter: { sqlExpression: '1=0' },
      action: {},
    });
    expect(changed.filter).toMatchObject({ sqlExpression: '1=0' });
    expect(changed.action.sqlExpression).toBeUndefined();
    expect(await client.ruleExists('ruled-topic', 's', '$Default')).toBe(true);
    await client.deleteRule('ruled-topic', 's', '$Default');
    expect(await client.ruleExists('ruled-topic', 's', '$Default')).toBe(false);
    await expect(client.createRule('ruled-topic', 's', 'sql', { sqlExpression: '1=1' })).rejects.toMatchObject({
      statusCode: 409,
      message: expect.stringMatching(/The messaging entity '.*sql' already exists\./),
    });
    await expect(client.createRule('ruled-topic', 's', 'bad', { sqlExpression: 'color =' })).rejects.toMatchObject({
      statusCode: 400,
    });
    await expect(client.getRule('ruled-topic', 's', 'none')).rejects.toMatchObject({
      code: 'MessageEntityNotFoundError',
    });
    await expect(client.deleteRule('ruled-topic', 's', 'none')).rejects.toMatchObject({ statusCode: 404 });
    await expect(client.getRule('ruled-topic', 'none', 'x')).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe("the vendor's administration client: the namespace", () => {
  it('has properties', async () => {
    expect(await client.getNamespaceProperties()).toMatchObject({
      name: 'localhost',
      messagingSku: 'Standard',
      messagingUnits: undefined,
    });
    const premium = await HttpNamespace.start('premium');
    expect(await premium.client().getNamespaceProperties()).toMatchObject({
      messagingSku: 'Premium',
      messagingUnits: 1,
    });
    expect(await premium.client().createQueue('large', { maxMessageSizeInKilobytes: 2048 })).toMatchObject({
      maxMessageSizeInKilobytes: 2048,
    });
    await premium.close();
  });

  it('is full at some time', async () => {
    const premium = await HttpNamespace.start('premium');
    const { maxEntities } = premium.broker.limits;
    for (let index = 0; index < maxEntities; index++) premium.broker.entities.createQueue(`q${index}`);
    await expect(premium.client().createQueue('one-more')).rejects.toMatchObject({
      statusCode: 403,
      code: 'QuotaExceededError',
    });
    await premium.client().deleteQueue('q0');
    expect((await premium.client().createQueue('one-more')).name).toBe('one-more');
    await premium.close();
  });

  it('has no topics in the Basic tier', async () => {
    const basic = await HttpNamespace.start('basic');
    await basic.client().createQueue('q');
    await expect(basic.client().createTopic('t')).rejects.toMatchObject({ statusCode: 400 });
    await basic.close();
  });

  it('is listed page by page', async () => {
    const many = await HttpNamespace.start();
    const names = Array.from({ length: 250 }, (_, index) => `queue-${String(index).padStart(3, '0')}`);
    for (const name of names) many.broker.entities.createQueue(name);
    const page = many.client();
    expect((await collect(page.listQueues())).map(({ name }) => name).sort()).toEqual(names);
    const pages = await collect(page.listQueues().byPage({ maxPageSize: 80 }));
    expect(pages.map((one) => one.length)).toEqual([80, 80, 80, 10]);
    expect(pages.map(({ continuationToken }) => continuationToken)).toEqual(['80', '160', '240', undefined]);
    const rest = await collect(page.listQueues().byPage({ continuationToken: '240', maxPageSize: 100 }));
    expect(rest.map((one) => one.length)).toEqual([10]);
    expect(await collect(page.listTopics())).toEqual([]);
    await many.close();
  });

  it('speaks the older version, which knows no largest message', async () => {
    const older = namespace.client(undefined, { serviceVersion: '2017-04' });
    expect(await older.createQueue('older')).toMatchObject({ name: 'older', maxMessageSizeInKilobytes: undefined });
    expect((await client.getQueue('older')).maxMessageSizeInKilobytes).toBe(256);
    const unknown = namespace.client(undefined, { serviceVersion: '2035-01' as never });
    await expect(unknown.getQueue('older')).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('2035-01'),
    });
  });
});
