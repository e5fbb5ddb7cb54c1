import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpNamespace } from './namespace.ts';

let namespace: HttpNamespace;

beforeAll(async () => {
  namespace = await HttpNamespace.start();
  namespace.broker.entities.createTopic('t');
  namespace.broker.entities.createSubscription('t', 's');
});
afterAll(() => namespace.close());

const SB = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const put = (path: string, description: string, headers: Record<string, string> = {}) =>
  namespace.ask('PUT', path, {
    headers,
    body: `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${description}</content></entry>`,
  });
const queue = (inside: string) => `<QueueDescription xmlns="${SB}">${inside}</QueueDescription>`;

/** Lines of DEVIATIONS.md about HTTP that no other test holds. */
describe('HTTP here', () => {
  it('has counts and times also in the answer to a PUT', async () => {
    const { body } = await put('counted', queue(''));
    expect(body).toContain('<AccessedAt>0001-01-01T00:00:00Z</AccessedAt>');
    expect(body).toContain(':ActiveMessageCount>0</');
  });

  it('leaves what an update leaves out, but for forwarding and metadata', async () => {
    const { entities } = namespace.broker;
    entities.createQueue('end');
    const forwards = { forwardTo: 'end', forwardDeadLetteredMessagesTo: 'end' };
    entities.createQueue('updated', { ...forwards, lockDurationMs: 45_000, userMetadata: 'm' });
    const answer = await put('updated', queue('<MaxDeliveryCount>3</MaxDeliveryCount>'), { 'If-Match': '*' });
    expect(answer.status).toBe(200);
    expect(entities.queue('updated')!.description).toMatchObject({
      maxDeliveryCount: 3,
      lockDurationMs: 45_000,
      userMetadata: '',
      forwardTo: undefined,
      forwardDeadLetteredMessagesTo: undefined,
    });
  });

  it('answers 404 for a subscription or rule that is missing', async () => {
    for (const path of ['t/Subscriptions/none', 't/Subscriptions/s/Rules/none']) {
      expect((await namespace.ask('GET', path)).status).toBe(404);
    }
  });

  it('finds a locked message by its token, whatever message the URL names', async () => {
    namespace.broker.entities.createQueue('locked');
    await namespace.ask('POST', 'locked/messages', { body: 'x' });
    const { headers } = await namespace.ask('POST', 'locked/messages/head?timeout=0');
    const token = headers.location!.split('/').at(-1);
    expect((await namespace.ask('DELETE', `locked/messages/another/${token}`)).status).toBe(200);
    expect(namespace.broker.entities.queue('locked')!.counts.active).toBe(0);
  });

  it('tells numbers of rules made over HTTP as they were written, and of others by their size', async () => {
    const value = (type: string, text: string) =>
      `<KeyValueOfstringanyType><Key>${type}</Key><Value i:type="d:${type}" xmlns:d="http://www.w3.org/2001/XMLSchema">${text}</Value></KeyValueOfstringanyType>`;
    const values = [value('long', '5'), value('unsignedByte', '6'), value('decimal', '0.5'), value('float', '1.5')];
    const rule = `<RuleDescription xmlns="${SB}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><Filter i:type="CorrelationFilter"><Properties>${values.join('')}</Properties></Filter><Name>typed</Name></RuleDescription>`;
    expect((await put('t/Subscriptions/s/Rules/typed', rule)).status).toBe(201);
    const { body } = await namespace.ask('GET', 't/Subscriptions/s/Rules/typed');
    const found = [...body.matchAll(/<Key>(\w+)<\/Key><Value[^>]* i:type="\w+:(\w+)"/g)];
    expect(Object.fromEntries(found.map(([, key, type]) => [key, type]))).toEqual({
      long: 'long',
      unsignedByte: 'unsignedByte',
      decimal: 'decimal',
      float: 'float',
    });
    const properties = new Map([
      ['small', 5n],
      ['large', 5_000_000_000n],
    ]);
    namespace.broker.entities.createRule('t', 's', { name: 'made', filter: { kind: 'correlation', properties } });
    const made = (await namespace.ask('GET', 't/Subscriptions/s/Rules/made')).body;
    expect(made).toMatch(
      /<Key>small<\/Key><Value[^>]* i:type="\w+:int".*<Key>large<\/Key><Value[^>]* i:type="\w+:long"/,
    );
  });

  it('takes a header without quotes for somebody else’s', async () => {
    namespace.broker.entities.createQueue('headers');
    await namespace.ask('POST', 'headers/messages', { body: 'x', headers: { Colour: 'red', Size: '"large"' } });
    const [message] = namespace.broker.source('headers').peek(0, 1);
    expect(message!.content.applicationProperties).toEqual(new Map([['Size', 'large']]));
  });

  it('lets no message sent over HTTP live longer than 2³² ms, unless for ever', async () => {
    namespace.broker.entities.createQueue('ttl');
    for (const TimeToLive of [5_000_000, 922_337_203_685.4775]) {
      const headers = { BrokerProperties: JSON.stringify({ TimeToLive }) };
      expect((await namespace.ask('POST', 'ttl/messages', { body: 'x', headers })).status).toBe(201);
    }
    expect(
      namespace.broker
        .source('ttl')
        .peek(0, 2)
        .map(({ content }) => content.ttlMs),
    ).toEqual([2 ** 32 - 1, Number.POSITIVE_INFINITY]);
  });

  it('reads no more than 80 KB of headers', async () => {
    namespace.broker.entities.createQueue('long');
    const send = (length: number) =>
      namespace.ask('POST', 'long/messages', { body: 'x', headers: { Text: `"${'x'.repeat(length)}"` } });
    expect((await send(32_000)).status).toBe(201);
    expect((await send(82_000)).status).toBe(431);
  });
});
