import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueueInfo } from '../../../src/service-bus/broker/index.ts';
import { type Answer, HttpNamespace } from './namespace.ts';

const SB = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const XSD = 'http://www.w3.org/2001/XMLSchema';
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

let namespace: HttpNamespace;

beforeAll(async () => {
  namespace = await HttpNamespace.start();
  namespace.broker.entities.createTopic('t');
  namespace.broker.entities.createQueue('target');
  await put('t/Subscriptions/s', 'Subscription');
});
afterAll(() => namespace.close());

const put = (path: string, kind: string, inside = '', headers: Record<string, string> = {}): Promise<Answer> =>
  namespace.ask('PUT', `${path}?api-version=2021-05`, {
    headers,
    body: `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml"><${kind}Description xmlns="${SB}" xmlns:i="${XSI}">${inside}</${kind}Description></content></entry>`,
  });
const get = async (path: string, version = '2021-05'): Promise<string> =>
  (await namespace.ask('GET', `${path}?api-version=${version}`)).body;
const update = { 'If-Match': '*' };
const textIn = (body: string, element: string): string | undefined =>
  new RegExp(`<${element}>([^<]*)</${element}>`).exec(body)?.[1];
const queueOf = (path: string): QueueInfo => namespace.broker.entities.queue(path)!;

/** What the service's own answers look like, as its clients' recorded tests show them. */
describe('answers of the administration', () => {
  it('have times in UTC, with a Z, everywhere', async () => {
    namespace.broker.entities.createQueue('timed');
    for (const path of ['timed', 't', 't/Subscriptions/s', 't/Subscriptions/s/Rules/$Default', '$namespaceinfo']) {
      const body = await get(path);
      const times = [...body.matchAll(/<(?:\w+(?:At|Time)|published|updated)>([^<]*)</g)].map(([, time]) => time!);
      expect(times.length, path).toBeGreaterThan(1);
      for (const time of times) expect(time).toMatch(TIME);
    }
    expect(textIn(await get('timed'), 'AccessedAt')).toBe('0001-01-01T00:00:00Z');
    const subscription = await get('t/Subscriptions/s');
    expect(textIn(subscription, 'AccessedAt')).toBe(textIn(subscription, 'CreatedAt'));
  });

  it('count a new subscription as access to its topic', async () => {
    namespace.broker.entities.createTopic('accessed');
    expect(textIn(await get('accessed'), 'AccessedAt')).toBe('0001-01-01T00:00:00Z');
    await put('accessed/Subscriptions/s', 'Subscription');
    const body = await get('accessed');
    expect(Date.parse(textIn(body, 'AccessedAt')!)).toBeGreaterThanOrEqual(Date.parse(textIn(body, 'UpdatedAt')!));
  });

  it('have counts in every description, alone and in lists', async () => {
    namespace.broker.entities.createQueue('counted');
    for (const path of [
      'counted',
      't',
      't/Subscriptions/s',
      '$Resources/Queues',
      '$Resources/Topics',
      't/Subscriptions',
    ]) {
      const body = await get(path);
      const descriptions = body.match(/<\w+Description /g)!.length;
      expect(body.match(/<CountDetails xmlns:\w+="[^"]+"><\w+:ActiveMessageCount>/g), path).toHaveLength(descriptions);
      expect(body.match(/<\w+:TransferDeadLetterMessageCount>/g), path).toHaveLength(descriptions);
    }
  });

  it('name an author for queues, topics and the namespace alone, and say of the namespace not when it was published', async () => {
    for (const path of ['target', 't']) expect(await get(path)).toMatch(/<published>.*<author><name>localhost</);
    for (const path of ['t/Subscriptions/s', 't/Subscriptions/s/Rules/$Default']) {
      expect(await get(path)).not.toContain('<author>');
    }
    const namespaceInfo = await get('$namespaceinfo');
    expect(namespaceInfo).toContain('<author><name>localhost</name></author>');
    expect(namespaceInfo).not.toContain('<published>');
  });

  it('say of subscriptions whether they belong to one client, since the newer version', async () => {
    const path = 't/Subscriptions/s';
    expect(await get(path)).toContain(
      '<EntityAvailabilityStatus>Available</EntityAvailabilityStatus><IsClientAffine>false<',
    );
    expect(await get(path, '2017-04')).not.toContain('IsClientAffine');
  });

  it('say of topics how many filters they have, since the newest version', async () => {
    const { entities } = namespace.broker;
    entities.createTopic('filtered');
    entities.createSubscription('filtered', 'one');
    entities.createSubscription('filtered', 'two');
    entities.createRule('filtered', 'one', { name: 'sql', filter: { kind: 'sql', expression: 'a = 1' } });
    entities.createRule('filtered', 'two', { name: 'correlation', filter: { kind: 'correlation', label: 'x' } });
    expect(await get('filtered', '2024-05')).toContain(
      '<SubscriptionCount>2</SubscriptionCount><SqlFilterCount>3</SqlFilterCount><CorrelationFilterCount>1</CorrelationFilterCount>',
    );
    expect(await get('filtered', '2021-05')).not.toContain('FilterCount');
    expect(await get('t/Subscriptions/s', '2024-05')).toContain('IsClientAffine');
    expect(await get('target', '2024-05')).toContain('<MaxMessageSizeInKilobytes>256<');
  });

  it.each(['Queue', 'Topic'])('multiply the size of a partitioned one, which keeps no order: %s', async (kind) => {
    const path = `partitioned-${kind}`;
    const created = await put(
      path,
      kind,
      '<MaxSizeInMegabytes>3072</MaxSizeInMegabytes><EnablePartitioning>true</EnablePartitioning>',
    );
    expect(textIn(created.body, 'MaxSizeInMegabytes')).toBe('49152');
    expect(textIn(created.body, 'SupportOrdering')).toBe('false');
    expect(
      textIn(
        (await put(`${path}-default`, kind, '<EnablePartitioning>true</EnablePartitioning>')).body,
        'MaxSizeInMegabytes',
      ),
    ).toBe('16384');
    // Clients send back what they were told.
    const again = await put(
      path,
      kind,
      '<MaxSizeInMegabytes>49152</MaxSizeInMegabytes><EnablePartitioning>true</EnablePartitioning>',
      update,
    );
    expect([again.status, textIn(again.body, 'MaxSizeInMegabytes')]).toEqual([200, '49152']);
    const larger = await put(path, kind, '<MaxSizeInMegabytes>5120</MaxSizeInMegabytes>', update);
    expect(textIn(larger.body, 'MaxSizeInMegabytes')).toBe('81920');
    expect((await put(path, kind, '<MaxSizeInMegabytes>6000</MaxSizeInMegabytes>', update)).status).toBe(400);
  });

  it('pass over elements that come too late, and tell them back', async () => {
    const forward = (name: string) => `<Forward${name}>sb://${namespace.host}/target</Forward${name}>`;
    const late = `<LockDuration>PT13S</LockDuration><RequiresSession>true</RequiresSession><EnableExpress>true</EnableExpress>${forward('To')}<UserMetadata>m</UserMetadata>${forward('DeadLetteredMessagesTo')}<MaxMessageSizeInKilobytes>256</MaxMessageSizeInKilobytes><MaxDeliveryCount>3</MaxDeliveryCount>`;
    const created = await put('late', 'Queue', late);
    expect(created.status).toBe(201);
    expect(queueOf('late').description).toMatchObject({
      lockDurationMs: 13_000,
      enableExpress: true,
      forwardTo: undefined,
      forwardDeadLetteredMessagesTo: undefined,
      userMetadata: '',
      maxDeliveryCount: 10,
    });
    for (const body of [created.body, await get('late'), await get('$Resources/Queues')]) {
      expect(body).toContain(
        `${forward('To')}<UserMetadata>m</UserMetadata>${forward('DeadLetteredMessagesTo')}</QueueDescription>`,
      );
    }
    expect(created.body.match(/<MaxDeliveryCount>10</g)).toHaveLength(1);
    // Each update says all of it anew.
    expect((await put('late', 'Queue', '<MaxDeliveryCount>4</MaxDeliveryCount>', update)).body).not.toContain(
      'Forward',
    );
    const inOrder = `<Status>Active</Status>${forward('To')}<UserMetadata>n</UserMetadata>`;
    namespace.broker.entities.createQueue('early');
    const { body } = await put('early', 'Queue', inOrder, update);
    expect(queueOf('early').description).toMatchObject({ forwardTo: 'target', userMetadata: 'n' });
    expect(body).toContain(inOrder);
  });

  it('keep the times of authorization rules that did not change', async () => {
    const rule = (name: string, key: string) =>
      `<AuthorizationRule><ClaimType>SharedAccessKey</ClaimType><ClaimValue>None</ClaimValue><Rights><AccessRights>Send</AccessRights></Rights><KeyName>${name}</KeyName><PrimaryKey>${Buffer.alloc(32, key).toString('base64')}</PrimaryKey><SecondaryKey>${Buffer.alloc(32, 's').toString('base64')}</SecondaryKey></AuthorizationRule>`;
    await put('ruled', 'Queue', `<AuthorizationRules>${rule('a', '1')}${rule('b', '1')}</AuthorizationRules>`);
    const before = queueOf('ruled').description.authorizationRules;
    while (Date.now() <= before[0]!.createdAtMs!) await new Promise(setImmediate);
    await put('ruled', 'Queue', `<AuthorizationRules>${rule('A', '1')}${rule('b', '2')}</AuthorizationRules>`, update);
    const [same, changed] = queueOf('ruled').description.authorizationRules;
    expect(same).toEqual({ ...before[0], name: 'A' });
    expect(changed!.createdAtMs).toBe(before[1]!.createdAtMs);
    expect(changed!.modifiedAtMs).toBeGreaterThan(changed!.createdAtMs!);
    expect(await get('ruled')).toMatch(
      /<CreatedTime>[^<]+Z<\/CreatedTime><ModifiedTime>[^<]+Z<\/ModifiedTime><KeyName>A</,
    );
  });
});

describe('rules in answers', () => {
  const rule = async (name: string, inside: string): Promise<string> => {
    const created = await put(`t/Subscriptions/s/Rules/${name}`, 'Rule', `${inside}<Name>${name}</Name>`);
    expect(created.body).toMatch(/^<entry /);
    return get(`t/Subscriptions/s/Rules/${name}`);
  };

  it('have what SQL requires, and parameters also where there are none', async () => {
    const sql = (type: string, more = '') =>
      ` i:type="${type}"><SqlExpression>SET a = 1</SqlExpression><CompatibilityLevel>20</CompatibilityLevel>${more}`;
    const filter =
      '<Filter i:type="SqlFilter"><SqlExpression>a = 1</SqlExpression><CompatibilityLevel>20</CompatibilityLevel>';
    const plain = await rule('plain', `${filter}</Filter><Action${sql('SqlRuleAction')}</Action>`);
    expect(plain).toContain(
      `${filter}<Parameters/></Filter><Action${sql('SqlRuleAction')}<Parameters/></Action><CreatedAt>`,
    );
    for (const required of ['true', 'false']) {
      const element = `<RequiresPreprocessing>${required}</RequiresPreprocessing>`;
      const told = await rule(
        `required-${required}`,
        `${filter}${element}</Filter><Action${sql('SqlRuleAction', element)}</Action>`,
      );
      expect(told).toContain(
        `${filter}${element}<Parameters/></Filter><Action${sql('SqlRuleAction', element)}<Parameters/></Action>`,
      );
    }
  });

  it('have neither where the filter lets everything or nothing through', async () => {
    for (const [type, expression] of [
      ['TrueFilter', '1=1'],
      ['FalseFilter', '1=0'],
    ] as const) {
      const told = await rule(
        type,
        `<Filter i:type="${type}"><SqlExpression>${expression}</SqlExpression><RequiresPreprocessing>true</RequiresPreprocessing></Filter>`,
      );
      expect(told).toContain(
        `<Filter i:type="${type}"><SqlExpression>${expression}</SqlExpression><CompatibilityLevel>20</CompatibilityLevel></Filter><Action i:type="EmptyRuleAction"/>`,
      );
    }
  });

  it('keep when they were created', async () => {
    const before = textIn(await rule('kept', '<Filter i:type="TrueFilter"/>'), 'CreatedAt');
    await put('t/Subscriptions/s/Rules/kept', 'Rule', '<Filter i:type="FalseFilter"/>', update);
    const after = await get('t/Subscriptions/s/Rules/kept');
    expect(after).toContain('FalseFilter');
    expect(textIn(after, 'CreatedAt')).toBe(before);
  });

  it.each([
    ['2020-07-05T11:12:13', 'without a zone'],
    ['2020-07-05T11:12:13.1234567', 'with more digits'],
    ['2020-07-05T11:12:13.1234567Z', 'with more digits, in UTC'],
  ])('have times as they were written: %s, %s', async (time) => {
    const value = `<Value xmlns:d6p1="${XSD}" i:type="d6p1:dateTime">${time}</Value>`;
    const told = await rule(
      `time-${time.length}`,
      `<Filter i:type="CorrelationFilter"><Properties><KeyValueOfstringanyType><Key>k</Key>${value}</KeyValueOfstringanyType></Properties></Filter>`,
    );
    expect(told).toMatch(
      new RegExp(`<Key>k</Key><Value [^>]*i:type="\\w+:dateTime"[^>]*>${time.replaceAll('.', '\\.')}</Value>`),
    );
  });

  it('have durations as .NET has them, from clients that write those of XML Schema', async () => {
    const value = `<Value xmlns:d6p1="${XSD}" i:type="d6p1:duration">P1DT2H3M</Value>`;
    const told = await rule(
      'duration',
      `<Filter i:type="CorrelationFilter"><Properties><KeyValueOfstringanyType><Key>k</Key>${value}</KeyValueOfstringanyType></Properties></Filter>`,
    );
    expect(told).toMatch(
      /xmlns:(\w+)="http:\/\/schemas\.microsoft\.com\/2003\/10\/Serialization\/" i:type="\1:duration">P1DT2H3M</,
    );
  });
});
