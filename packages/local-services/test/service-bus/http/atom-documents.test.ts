import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_XML_BYTES } from '../../../src/service-bus/http/xml/limits.ts';
import { type Answer, HttpNamespace } from './namespace.ts';

const SB = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const entry = (description: string) =>
  `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${description}</content></entry>`;
const queue = (inside = '') => entry(`<QueueDescription xmlns="${SB}">${inside}</QueueDescription>`);

let namespace: HttpNamespace;

beforeAll(async () => {
  namespace = await HttpNamespace.start();
});
afterAll(() => namespace.close());

const put = (path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
  namespace.ask('PUT', path, { body, headers });
const elements = (body: string, within: string): string[] => {
  const inside = new RegExp(`<${within}[ >][\\s\\S]*?>([\\s\\S]*)</${within}>`).exec(body)?.[1] ?? '';
  return [...inside.matchAll(/<([\w:]+)/g)].map((match) => match[1]!);
};

describe('documents of the administration', () => {
  it('describe a queue in the order of the service', async () => {
    const created = await put('orders?api-version=2021-05', queue());
    expect(created.status).toBe(201);
    expect(created.headers['content-type']).toBe('application/atom+xml;type=entry;charset=utf-8');
    expect(created.headers.server).toBe('Microsoft-HTTPAPI/2.0');
    expect(created.headers.date).toMatch(/ GMT$/);
    expect(elements(created.body, 'QueueDescription')).toEqual([
      'LockDuration',
      'MaxSizeInMegabytes',
      'RequiresDuplicateDetection',
      'RequiresSession',
      'DefaultMessageTimeToLive',
      'DeadLetteringOnMessageExpiration',
      'DuplicateDetectionHistoryTimeWindow',
      'MaxDeliveryCount',
      'EnableBatchedOperations',
      'SizeInBytes',
      'MessageCount',
      'IsAnonymousAccessible',
      'AuthorizationRules',
      'Status',
      'CreatedAt',
      'UpdatedAt',
      'AccessedAt',
      'SupportOrdering',
      'CountDetails',
      'd2p1:ActiveMessageCount',
      'd2p1:DeadLetterMessageCount',
      'd2p1:ScheduledMessageCount',
      'd2p1:TransferMessageCount',
      'd2p1:TransferDeadLetterMessageCount',
      'AutoDeleteOnIdle',
      'EnablePartitioning',
      'EntityAvailabilityStatus',
      'EnableExpress',
      'MaxMessageSizeInKilobytes',
    ]);
    expect(created.body).toContain(
      `<QueueDescription xmlns="${SB}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">`,
    );
    expect(created.body).toContain(
      '<CountDetails xmlns:d2p1="http://schemas.microsoft.com/netservices/2011/06/servicebus">',
    );
    expect(created.body).toContain(`<id>http://${namespace.host}/orders?api-version=2021-05</id>`);
    expect(created.body).toContain('<title type="text">orders</title>');
  });

  it('describe topics, subscriptions and rules in the order of the service', async () => {
    const topic = await put('t?api-version=2021-05', entry(`<TopicDescription xmlns="${SB}"/>`));
    expect(elements(topic.body, 'TopicDescription')).toEqual([
      'DefaultMessageTimeToLive',
      'MaxSizeInMegabytes',
      'RequiresDuplicateDetection',
      'DuplicateDetectionHistoryTimeWindow',
      'EnableBatchedOperations',
      'SizeInBytes',
      'FilteringMessagesBeforePublishing',
      'IsAnonymousAccessible',
      'AuthorizationRules',
      'Status',
      'CreatedAt',
      'UpdatedAt',
      'AccessedAt',
      'SupportOrdering',
      'CountDetails',
      'd2p1:ActiveMessageCount',
      'd2p1:DeadLetterMessageCount',
      'd2p1:ScheduledMessageCount',
      'd2p1:TransferMessageCount',
      'd2p1:TransferDeadLetterMessageCount',
      'SubscriptionCount',
      'AutoDeleteOnIdle',
      'EnablePartitioning',
      'EntityAvailabilityStatus',
      'EnableSubscriptionPartitioning',
      'EnableExpress',
      'MaxMessageSizeInKilobytes',
    ]);
    const subscription = await put('t/Subscriptions/s', entry(`<SubscriptionDescription xmlns="${SB}"/>`));
    expect(elements(subscription.body, 'SubscriptionDescription').filter((name) => !name.startsWith('d2p1:'))).toEqual([
      'LockDuration',
      'RequiresSession',
      'DefaultMessageTimeToLive',
      'DeadLetteringOnMessageExpiration',
      'DeadLetteringOnFilterEvaluationExceptions',
      'MessageCount',
      'MaxDeliveryCount',
      'EnableBatchedOperations',
      'Status',
      'CreatedAt',
      'UpdatedAt',
      'AccessedAt',
      'CountDetails',
      'AutoDeleteOnIdle',
      'EntityAvailabilityStatus',
    ]);
    const rules = await namespace.ask('GET', 't/Subscriptions/s/Rules');
    expect(rules.headers['content-type']).toBe('application/atom+xml;type=feed;charset=utf-8');
    expect(rules.body).toMatch(
      /<Filter i:type="TrueFilter"><SqlExpression>1=1<\/SqlExpression><CompatibilityLevel>20<\/CompatibilityLevel><\/Filter><Action i:type="EmptyRuleAction"\/><CreatedAt>[^<]+<\/CreatedAt><Name>\$Default<\/Name>/,
    );
    expect(rules.body).toContain('<link rel="self" href="Rules/$Default?api-version=2017-04"/>');
  });

  it('are read under any prefixes, with what nobody knows left alone', async () => {
    const document = `<?xml version="1.0" encoding="utf-8"?>
      <a:entry xmlns:a="http://www.w3.org/2005/Atom" xmlns:q="${SB}"><a:title>x</a:title><a:content type="application/xml">
        <q:QueueDescription><q:LockDuration> PT30S </q:LockDuration><LockDuration xmlns="urn:other">PT1S</LockDuration>
        <q:MadeUp>1</q:MadeUp><q:MessageCount>77</q:MessageCount><q:ForwardTo i:nil="true" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"/>
        </q:QueueDescription></a:content></a:entry>`;
    expect((await put('prefixed', document)).status).toBe(201);
    expect(namespace.broker.entities.queue('prefixed')?.description.lockDurationMs).toBe(30_000);
  });

  it('say what was asked for, letter by letter: some clients look for it', async () => {
    for (const asked of ['/t/subscriptions/', '/t/Subscriptions?$top=5', '/$resources/Queues']) {
      const { body } = await namespace.ask('GET', asked);
      expect(body).toContain(`<id>http://${namespace.host}${asked}</id>`);
      expect(body).toContain(`<link rel="self" href="http://${namespace.host}${asked}"/>`);
    }
  });

  it('tell of one page that there is another', async () => {
    for (const name of ['p1', 'p2', 'p3']) namespace.broker.entities.createTopic(name);
    const answer = await namespace.ask('GET', '$Resources/Topics?$top=2&$skip=1&api-version=2021-05');
    expect([...answer.body.matchAll(/<entry /g)]).toHaveLength(2);
    const next = /<link rel="next" href="([^"]+)"/.exec(answer.body)?.[1]?.replaceAll('&amp;', '&');
    expect(next).toBe(`http://${namespace.host}/$Resources/Topics?api-version=2021-05&$skip=3&$top=2`);
    const last = await namespace.ask('GET', new URL(next!).pathname + new URL(next!).search);
    expect([...last.body.matchAll(/<entry /g)]).toHaveLength(1);
    expect(last.body).not.toContain('rel="next"');
    for (const query of ['$top=0', '$skip=-1', '$top=many']) {
      expect((await namespace.ask('GET', `$Resources/Topics?${query}`)).status).toBe(400);
    }
  });

  it.each([
    ['nothing', ''],
    ['what is no XML', 'LockDuration=PT1M'],
    ['what is no entry', '<feed xmlns="http://www.w3.org/2005/Atom"/>'],
    ['an entry without content', '<entry xmlns="http://www.w3.org/2005/Atom"/>'],
    ['an entry with empty content', entry('')],
    ['the description of something else', entry(`<RuleDescription xmlns="${SB}"/>`)],
    ['a description without namespace', entry('<QueueDescription xmlns=""/>')],
    [
      'a document type',
      `<!DOCTYPE entry [<!ENTITY x SYSTEM "file:///etc/passwd">]>${queue('<UserMetadata>&x;</UserMetadata>')}`,
    ],
    ['the same element twice', queue('<MaxDeliveryCount>1</MaxDeliveryCount><MaxDeliveryCount>2</MaxDeliveryCount>')],
    ['a number that is none', queue('<MaxDeliveryCount>ten</MaxDeliveryCount>')],
    ['a truth value that is none', queue('<RequiresSession>maybe</RequiresSession>')],
    ['a status there is not', queue('<Status>Sleeping</Status>')],
    ['elements within text', queue('<UserMetadata><b/></UserMetadata>')],
    [
      'a right there is not',
      queue(
        '<AuthorizationRules><AuthorizationRule><Rights><AccessRights>Own</AccessRights></Rights><KeyName>k</KeyName></AuthorizationRule></AuthorizationRules>',
      ),
    ],
    [
      'Manage without Send',
      queue(
        '<AuthorizationRules><AuthorizationRule><Rights><AccessRights>Manage</AccessRights></Rights><KeyName>k</KeyName></AuthorizationRule></AuthorizationRules>',
      ),
    ],
  ])('are refused with 400: %s', async (_what, body) => {
    const answer = await put('refused', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(/^<Error><Code>400<\/Code><Detail>.+ TrackingId:.*<\/Detail><\/Error>$/);
    expect(namespace.broker.entities.queue('refused')).toBeUndefined();
  });

  it('are refused when they are too large, with the rest unread', async () => {
    const large = queue(`<UserMetadata>${'x'.repeat(MAX_XML_BYTES)}</UserMetadata>`);
    const answer = await put('large', large);
    expect(answer.status).toBe(413);
    expect(answer.headers.connection).toBe('close');
    const chunked = await namespace
      .ask('PUT', 'large', { body: large, headers: { 'Transfer-Encoding': 'chunked' } })
      .catch((error: NodeJS.ErrnoException) => error.code);
    if (typeof chunked === 'object') expect(chunked.status).toBe(413);
    else expect(chunked).toMatch(/EPIPE|ECONNRESET/);
    expect(namespace.broker.entities.queue('large')).toBeUndefined();
  });

  it('know one condition for an update', async () => {
    expect((await put('orders', queue(), { 'If-Match': '"etag"' })).status).toBe(412);
    const missing = await put('missing', queue(), { 'If-Match': '*' });
    expect(missing.status).toBe(404);
    expect(missing.body).toContain('SubCode=40400.');
    expect((await put('orders', queue('<MaxDeliveryCount>5</MaxDeliveryCount>'), { 'If-Match': '*' })).status).toBe(
      200,
    );
    const conflict = await put('orders', queue());
    expect(conflict.status).toBe(409);
    expect(conflict.body).toContain('SubCode=40900.');
  });

  it('say which methods there are', async () => {
    for (const [method, path, allowed] of [
      ['PATCH', 'orders', 'GET, PUT, DELETE'],
      ['POST', '$Resources/Queues', 'GET'],
      ['PUT', '', 'GET'],
      ['DELETE', 't/Subscriptions', 'GET'],
    ] as const) {
      const answer = await namespace.ask(method, path);
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toBe(allowed);
    }
  });

  it('need a host that leads back', async () => {
    for (const host of ['a b', 'evil"><x>', `x:${'9'.repeat(9)}`]) {
      expect((await namespace.ask('GET', 'orders', { headers: { Host: host } })).status).toBe(400);
    }
  });

  it('count as operations of management', async () => {
    const { billing } = namespace.broker;
    const managed = (path: string) => billing.byEntity().get(path)?.get('management') ?? 0;
    const before = managed('');
    await put('billed', queue());
    await namespace.ask('GET', 'billed');
    await namespace.ask('GET', 'billed', { authorization: null });
    await put('billed', queue());
    expect(managed('billed')).toBe(3);
    await namespace.ask('GET', 't/Subscriptions/s/Rules');
    expect(managed('t/subscriptions/s')).toBeGreaterThan(0);
    // What was made up, and what is gone, counts for the namespace.
    await namespace.ask('DELETE', 'made-up');
    await namespace.ask('GET', 'made-up/Subscriptions/s');
    await namespace.ask('DELETE', 'billed');
    expect(managed('')).toBe(before + 2 + 4);
    expect([...billing.byEntity().keys()].filter((path) => /made-up|billed/.test(path))).toEqual([]);
  });
});
