import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpNamespace, LISTENER, ROOT, SENDER } from './namespace.ts';

let namespace: HttpNamespace;

beforeAll(async () => {
  namespace = await HttpNamespace.start();
  namespace.broker.entities.createQueue('q', {
    authorizationRules: [
      { name: 'own', rights: ['manage', 'send', 'listen'], primaryKey: 'first', secondaryKey: 'second' },
    ],
  });
  namespace.broker.entities.createQueue('other');
  namespace.broker.entities.createTopic('t');
  namespace.broker.entities.createSubscription('t', 's');
});
afterAll(() => namespace.close());

const asked = async (method: string, path: string, authorization: string | null, body?: string) => {
  const answer = await namespace.ask(method, path, { authorization, ...(body === undefined ? {} : { body }) });
  return { status: answer.status, detail: /<Detail>(.*)<\/Detail>/.exec(answer.body)?.[1], headers: answer.headers };
};

describe('who may do what over HTTP', () => {
  it('needs a token, and says where from', async () => {
    const { status, detail, headers } = await asked('GET', 'q', null);
    expect(status).toBe(401);
    expect(detail).toMatch(/^MissingToken/);
    expect(headers['www-authenticate']).toBe(`SharedAccessSignature realm="http://${namespace.host}/"`);
    expect(headers['content-type']).toBe('application/xml; charset=utf-8');
  });

  it.each([
    ['no scheme that is known', () => 'Basic abc', /MalformedToken/],
    ['no token', () => 'SharedAccessSignature', /Token/],
    ['nonsense', () => 'SharedAccessSignature sr=x', /Token/],
    ['another key', () => namespace.token({ ...ROOT, key: 'guessed' }), /InvalidSignature/],
    ['another policy', () => namespace.token({ ...ROOT, name: 'nobody' }), /InvalidSignature|nobody/],
    ['a token of yesterday', () => namespace.token(ROOT, '', Date.now() - 86_400_000), /ExpiredToken/],
    ['a token for another queue', () => namespace.token(ROOT, 'other'), /different resource/],
    ['a JWT that is none', () => 'Bearer abc', /Malformed/],
  ])('refuses %s', async (_what, authorization, message) => {
    const { status, detail } = await asked('GET', 'q', authorization());
    expect(status).toBe(401);
    expect(detail).toMatch(message);
    expect(detail).not.toContain('root key');
  });

  it('lets those who send or listen do that, and manage nothing', async () => {
    const sender = namespace.token(SENDER);
    const listener = namespace.token(LISTENER);
    expect((await asked('POST', 'q/messages', sender, 'x')).status).toBe(201);
    expect(await asked('POST', 'q/messages', listener, 'x')).toMatchObject({
      status: 401,
      detail: expect.stringMatching(/'Send' claim/),
    });
    expect(await asked('DELETE', 'q/messages/head?timeout=0', sender)).toMatchObject({
      status: 401,
      detail: expect.stringMatching(/'Listen' claim/),
    });
    expect((await asked('DELETE', 'q/messages/head?timeout=0', listener)).status).toBe(200);
    const refusals = [
      ['GET', 'q', 'Manage,EntityRead claims required for this operation.'],
      ['GET', '$Resources/Queues', 'Manage,EntityRead claims required for this operation.'],
      ['GET', '$namespaceinfo', 'Manage,EntityRead claims required for this operation.'],
      ['PUT', 'new', 'Authorization failed for specified action: Manage,EntityWrite.'],
      ['DELETE', 'q', 'Authorization failed for specified action: Manage,EntityDelete.'],
      ['GET', 't/Subscriptions/s', "SubCode=40100: Unauthorized : Unauthorized access for 'GetSubscription'"],
      ['GET', 't/Subscriptions', "SubCode=40100: Unauthorized : Unauthorized access for 'EnumerateSubscriptions'"],
      [
        'PUT',
        't/Subscriptions/x',
        "SubCode=40100: Unauthorized : Unauthorized access for 'CreateOrUpdateSubscription'",
      ],
      ['DELETE', 't/Subscriptions/s', "SubCode=40100: Unauthorized : Unauthorized access for 'DeleteSubscription'"],
      ['GET', 't/Subscriptions/s/Rules', "SubCode=40100: Unauthorized : Unauthorized access for 'EnumerateRules'"],
      [
        'PUT',
        't/Subscriptions/s/Rules/x',
        "SubCode=40100: Unauthorized : Unauthorized access for 'CreateOrUpdateRule'",
      ],
      [
        'DELETE',
        't/Subscriptions/s/Rules/$Default',
        "SubCode=40100: Unauthorized : Unauthorized access for 'DeleteRule'",
      ],
    ] as const;
    for (const [method, path, detail] of refusals) {
      for (const token of [sender, listener]) {
        expect(await asked(method, path, token)).toMatchObject({
          status: 401,
          detail: expect.stringContaining(detail),
        });
      }
    }
    expect(namespace.broker.entities.queue('q')).toBeDefined();
    expect(namespace.broker.entities.subscription('t', 's')).toBeDefined();
  });

  it("knows an entity's own rules, by either key, for that entity alone", async () => {
    for (const key of ['first', 'second']) {
      expect((await asked('GET', 'q', namespace.token({ name: 'own', key, rights: [] }, 'q'))).status).toBe(200);
    }
    const own = namespace.token({ name: 'own', key: 'first', rights: [] }, '');
    expect((await asked('GET', 'other', own)).status).toBe(401);
    expect((await asked('GET', '$Resources/Queues', own)).status).toBe(401);
  });

  it('takes a token for the very URL, with its query, as clients sign it', async () => {
    const url = 'q/messages?timeout=60';
    expect((await asked('POST', url, namespace.token(SENDER, url), 'x')).status).toBe(201);
  });

  it('asks for the right to send where messages are forwarded to', async () => {
    const entry = (to: string) =>
      `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml"><QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"><ForwardTo>${to}</ForwardTo></QueueDescription></content></entry>`;
    const put = (headers: Record<string, string>, authorization = namespace.token(ROOT, 'relay')) =>
      namespace.ask('PUT', 'relay', { authorization, headers, body: entry('other') });
    expect((await put({})).status).toBe(401);
    expect((await put({ ServiceBusSupplementaryAuthorization: namespace.token(LISTENER, 'other') })).status).toBe(401);
    expect((await put({ ServiceBusSupplementaryAuthorization: namespace.token(SENDER, 'q') })).status).toBe(401);
    expect(namespace.broker.entities.queue('relay')).toBeUndefined();
    expect((await put({ ServiceBusSupplementaryAuthorization: namespace.token(SENDER, 'other') })).status).toBe(201);
    // A token for the whole namespace speaks for itself.
    expect((await put({ 'If-Match': '*' }, namespace.token())).status).toBe(200);
  });

  it('tells anybody that nothing is where nothing is, and nothing else', async () => {
    for (const path of ['', 'nowhere']) {
      const answer = await namespace.ask('GET', path, { authorization: null });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatch(
        /^<feed xmlns="http:\/\/www.w3.org\/2005\/Atom"><title type="text">Publicly Listed Services/,
      );
      expect(answer.body).not.toContain('<entry');
    }
    expect((await asked('GET', 'nowhere', namespace.token({ ...ROOT, key: 'guessed' }))).status).toBe(401);
  });

  it('takes tokens of Entra ID by their roles', async () => {
    const jwt = (roles: readonly string[]) => {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const claims = { aud: 'https://servicebus.azure.net', exp: Math.floor(Date.now() / 1000) + 60, roles };
      return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2ln`;
    };
    const credential = (roles: readonly string[]) => ({
      getToken: async () => ({ token: jwt(roles), expiresOnTimestamp: Date.now() + 60_000 }),
    });
    const owner = namespace.client(credential(['Azure Service Bus Data Owner']));
    expect((await owner.getQueue('q')).name).toBe('q');
    expect((await owner.createQueue('by-owner', { forwardTo: 'other' })).forwardTo).toBe(
      `sb://${namespace.host}/other`,
    );
    const receiver = namespace.client(credential(['Azure Service Bus Data Receiver']));
    await expect(receiver.getQueue('q')).rejects.toMatchObject({ statusCode: 401, code: 'UnauthorizedRequestError' });
  });
});
