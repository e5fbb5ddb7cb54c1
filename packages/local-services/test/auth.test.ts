import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServiceBusAdministrationClient } from '@azure/service-bus';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { isWithin, parseAudience } from '../src/auth/audience.ts';
import {
  type AccessRule,
  AuthError,
  Authority,
  authorize,
  type Grant,
  readAuthorization,
  signSas,
  verifySas,
} from '../src/auth/index.ts';
import { JWT_RULES, tokenKindOf } from '../src/service-bus/token-rules.ts';
import { authority as certificates, echoListener } from './listener/harness.ts';

afterAll(() => certificates.close());

const NOW = Date.UTC(2026, 10, 21, 12);
const HOUR_MS = 3_600_000;
const root: AccessRule = { name: 'Root', key: 'root+key/==', rights: ['manage', 'send', 'listen'] };
const sender: AccessRule = { name: 'Sender', key: 'first', secondaryKey: 'second', rights: ['send'] };
const orders: AccessRule = { name: 'Orders', key: 'of orders', rights: ['listen'] };
const authority = new Authority(
  { namespace: [root, sender], entity: (path) => (path === 'shop/orders' ? [orders] : []) },
  { jwtRules: JWT_RULES },
);

const sas = (rule: AccessRule, resource = 'sb://bus.example/', expiresAtMs = NOW + HOUR_MS) =>
  signSas(resource, rule, expiresAtMs);
const verify = (token: string, audience = 'sb://bus.example/shop/orders') =>
  authority.verify('sas', token, audience, NOW);

describe('shared access signatures', () => {
  it('are signed as the service documents it', () => {
    const resource = 'sb%3A%2F%2Fbus.example%2Fq';
    const seconds = NOW / 1_000;
    const signature = createHmac('sha256', 'root+key/==').update(`${resource}\n${seconds}`).digest('base64');
    expect(signSas('sb://bus.example/q', root, NOW + 999)).toBe(
      `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${seconds}&skn=Root`,
    );
  });

  it('grant the rights of the rule, for the resource asked for, until they expire', async () => {
    const grant = await verify(sas(sender));
    expect(grant).toMatchObject({ audiencePath: 'shop/orders', expiresAtMs: NOW + HOUR_MS, rule: 'Sender' });
    expect([...grant.rights]).toEqual(['send']);
    expect(grant.allows('Shop/Orders', 'send')).toBe(true);
    expect(grant.allows('shop/orders/$management', 'send')).toBe(true);
    expect(grant.allows('sb://bus.example/shop/orders', 'send')).toBe(true);
    expect(grant.allows('shop/orders', 'listen')).toBe(false);
    expect(grant.allows('shop/orders2', 'send')).toBe(false);
    expect(grant.allows('shop', 'send')).toBe(false);
    expect(grant.allows('shop/orders/../x', 'send')).toBe(false);
    expect(() => grant.demand('shop/orders', 'send')).not.toThrow();
    expect(() => grant.demand('shop/orders', 'listen')).toThrow(AuthError);
    expect(() => grant.demand('shop/orders', 'listen')).toThrow("'Listen' claim(s) are required");
  });

  it('who may manage may do everything', async () => {
    const grant = await verify(sas({ ...root, rights: ['manage'] }));
    for (const right of ['manage', 'send', 'listen'] as const) expect(grant.allows('shop/orders', right)).toBe(true);
  });

  it('may be signed with either key', async () => {
    expect((await verify(sas({ ...sender, key: 'second' }))).rule).toBe('Sender');
  });

  it('of an entity are good for it and what is below it only', async () => {
    const at = (resource: string, audience: string) => verify(sas(orders, resource), audience);
    expect((await at('sb://bus.example/shop/orders', 'sb://bus.example/shop/orders')).rule).toBe('Orders');
    await at('sb://bus.example/shop/orders', 'sb://bus.example/shop/orders/Subscriptions/s');
    await expect(at('sb://bus.example/', 'sb://bus.example/shop/orders')).rejects.toThrow('InvalidSignature');
    await expect(at('sb://bus.example/shop', 'sb://bus.example/shop/orders')).rejects.toThrow('InvalidSignature');
    await expect(at('sb://bus.example/shop/orders', 'sb://bus.example/shop/other')).rejects.toThrow('InvalidAudience');
  });

  it.each([
    ['sb://bus.example/', 'sb://bus.example/shop/orders'],
    ['sb://BUS.example', 'amqps://bus.example:5671/shop/orders/'],
    ['https://bus.example/shop', 'amqp://bus.example/shop/orders'],
    ['https://bus.example:443/shop/orders?api-version=2021-05', 'http://bus.example/SHOP/orders'],
    ['sb://bus.example/shop/orders', 'sb%3A%2F%2Fbus.example%2Fshop%2Forders%2F%24management'],
    ['http://bus.example/shop%2Forders', 'sb://bus.example/shop/orders'],
    ['sb://localhost:5672/', 'sb://127.0.0.1/shop/orders'],
    ['sb://[::1]:5672/', 'sb://mine.localhost/shop/orders'],
    ['sb://bus.example/shop', 'shop/orders'],
  ])('for %s cover %s', async (resource, audience) => {
    expect((await verify(sas(root, resource), audience)).rule).toBe('Root');
  });

  it.each([
    ['sb://bus.example/shop/orders', 'sb://bus.example/shop'],
    ['sb://bus.example/shop/order', 'sb://bus.example/shop/orders'],
    ['sb://bus.example/', 'sb://other.example/shop/orders'],
    ['sb://localhost/', 'sb://bus.example/shop/orders'],
  ])('for %s do not cover %s', async (resource, audience) => {
    await expect(verify(sas(root, resource), audience)).rejects.toThrow('InvalidAudience');
  });

  it.each([
    ['sb://bus.example/a/../shop/orders'],
    ['sb://bus.example/%2e%2e/x'],
    ['://bus.example/q'],
    ['sb://user@bus.example/q'],
    ['sb:///q'],
    ['sb://bus.example/%zz'],
    ['sb://bus.example/a%00b'],
    [`sb://bus.example/${'q'.repeat(3_000)}`],
  ])('%s is no audience', async (audience) => {
    await expect(verify(sas(root), audience)).rejects.toThrow('InvalidAudience');
    await expect(verify(sas(root, audience))).rejects.toThrow(/InvalidAudience|MalformedToken/);
  });

  it('expire', async () => {
    const good = sas(root, 'sb://bus.example/', NOW + 1_000);
    await verify(good);
    await expect(authority.verify('sas', good, 'sb://bus.example/q', NOW + 1_000)).rejects.toThrow(
      'ExpiredToken: The token is expired. Expiration time: 2026-11-21T12:00:01.000Z',
    );
  });

  it('that are forged are refused, whatever was changed, and nothing secret is told', async () => {
    const token = sas(root);
    const tampered = [
      sas({ ...root, key: 'guess' }),
      sas({ ...root, name: 'Nobody' }),
      sas({ ...root, name: 'root' }),
      token.replace(/se=\d+/, `se=${NOW / 1_000 + 999_999}`),
      token.replace('bus.example', 'bus2.example'),
      token.replace('skn=Root', 'skn=Sender'),
      token.replace(/sig=[^&]+/, 'sig=AAAA'),
    ];
    for (const forged of tampered) {
      const refused = (await verify(forged).catch((error) => error)) as AuthError;
      expect(refused).toBeInstanceOf(AuthError);
      expect(refused).toMatchObject({ status: 401 });
      expect(refused.message).toBe('InvalidSignature: The token has an invalid signature.');
    }
  });

  it.each([
    '',
    'SharedAccessSignature',
    'SharedAccessSignature sr=a&sig=b&se=1',
    'SharedAccessSignature sr=a&sr=a&sig=b&se=1&skn=c',
    'SharedAccessSignature sr=a&sig=b&se=-1&skn=c',
    'SharedAccessSignature sr=a&sig=b&se=1e9&skn=c',
    'SharedAccessSignature sr=a&sig=b&se=999999999999&skn=c',
    'SharedAccessSignature sr=a&sig=%zz&se=1&skn=c',
    'SharedAccessSignature =a&sig=b&se=1&skn=c',
    `SharedAccessSignature sr=${'a'.repeat(40_000)}&sig=b&se=1&skn=c`,
    'Bearer x',
  ])('%.60s is malformed', (token) => {
    expect(() => verifySas(token, 'sb://bus.example/', [root], NOW)).toThrow(/^MalformedToken/);
  });

  it('any text is refused, and never by anything but an AuthError', () => {
    const fields = fc.array(fc.tuple(fc.constantFrom('sr', 'sig', 'se', 'skn', 'x', ''), fc.string()), {
      maxLength: 6,
    });
    const tokens = fc.oneof(
      fc.string(),
      fields.map((pairs) => `SharedAccessSignature ${pairs.map((pair) => pair.join('=')).join('&')}`),
    );
    fc.assert(
      fc.property(tokens, fc.string(), (token, audience) => {
        expect(() => verifySas(token, audience, [root], NOW)).toThrow(AuthError);
      }),
    );
  });

  it('any key, name and resource come through signing and verifying', () => {
    const word = fc.string({ minLength: 1, unit: 'grapheme' });
    fc.assert(
      fc.property(word, word, fc.stringMatching(/^[a-zA-Z0-9_.-]{0,20}$/), (name, key, entity) => {
        fc.pre(!/^\.\.?$/.test(entity));
        const rule: AccessRule = { name, key, rights: ['send'] };
        const resource = `sb://bus.example/${entity}`;
        expect(verifySas(signSas(resource, rule, NOW + 1_000), `${resource}/x`, [rule], NOW)).toBe(rule);
      }),
    );
  });

  it('a path is within another by whole segments', () => {
    const segments = fc.array(fc.stringMatching(/^[a-z0-9]{1,3}$/), { maxLength: 4 });
    fc.assert(
      fc.property(segments, segments, (path, prefix) => {
        const expected = prefix.every((segment, at) => path[at] === segment);
        const [one, other] = [path, prefix].map((parts) => parseAudience(`sb://h/${parts.join('/')}`).path);
        expect(isWithin(one!, other!)).toBe(expected);
      }),
    );
  });
});

describe('SASL PLAIN', () => {
  it('takes a policy of the namespace and one of its keys', () => {
    expect(authority.plain('Root', 'root+key/==').allows('anything', 'manage')).toBe(true);
    const grant = authority.plain('Sender', 'second');
    expect([grant.allows('q', 'send'), grant.allows('q', 'listen')]).toEqual([true, false]);
    expect(grant.expiresAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['Root', 'wrong'],
    ['Root', ''],
    ['', ''],
    ['Nobody', 'root+key/=='],
    ['Orders', 'of orders'],
  ])('refuses %s with %j', (user, password) => {
    expect(() => authority.plain(user, password)).toThrow(AuthError);
  });

  it('an empty secondary key opens nothing', () => {
    const open = new Authority(
      { namespace: [{ ...root, secondaryKey: '' }], entity: () => [] },
      { jwtRules: JWT_RULES },
    );
    expect(() => open.plain('Root', '')).toThrow(AuthError);
  });
});

describe('JSON web tokens', () => {
  const claims = { aud: 'https://servicebus.azure.net', exp: NOW / 1_000 + 3_600, nbf: NOW / 1_000 };
  const unsigned = (changes: object = {}) => new UnsecuredJWT({ ...claims, ...changes }).encode();
  const ask = (token: string, by = authority) => by.verify('jwt', token, 'sb://bus.example/q', NOW);

  it('grant all rights at the resource asked for, until they expire', async () => {
    const grant = await ask(unsigned());
    expect(grant).toMatchObject({ audiencePath: 'q', expiresAtMs: NOW + HOUR_MS, rule: undefined });
    expect(grant.allows('q', 'manage')).toBe(true);
    expect(grant.allows('r', 'send')).toBe(false);
  });

  it.each([
    [['Azure Service Bus Data Owner'], ['manage', 'send', 'listen']],
    [['Azure Service Bus Data Sender'], ['send']],
    ['Azure Service Bus Data Receiver', ['listen']],
    [
      ['Azure Service Bus Data Sender', 'Azure Service Bus Data Receiver'],
      ['send', 'listen'],
    ],
    [
      ['Some.App.Role', '__proto__', 7],
      ['manage', 'send', 'listen'],
    ],
  ])('of the role %j allow %j', async (roles, rights) => {
    expect([...(await ask(unsigned({ roles }))).rights]).toEqual(rights);
  });

  it.each([
    'https://servicebus.azure.net/',
    'https://eventhubs.azure.net',
    'https://eventhubs.azure.net/',
    ['https://other.example', 'https://servicebus.azure.net'],
  ])('may be for %j', async (aud) => {
    expect((await ask(unsigned({ aud }))).rule).toBeUndefined();
  });

  it.each([
    [{ aud: 'https://management.azure.com' }, 'InvalidAudience'],
    [{ aud: undefined }, 'InvalidAudience'],
    [{ exp: NOW / 1_000 }, 'ExpiredToken'],
    [{ exp: undefined }, 'MalformedToken'],
    [{ exp: 'soon' }, 'MalformedToken'],
    [{ exp: 1e300 }, 'MalformedToken'],
    [{ nbf: NOW / 1_000 + 301 }, 'not valid yet'],
    [{ nbf: '0' }, 'MalformedToken'],
  ])('with %j are refused: %s', async (changes, reason) => {
    await expect(ask(unsigned(changes))).rejects.toThrow(reason);
    await expect(ask(unsigned(changes))).rejects.toBeInstanceOf(AuthError);
  });

  it.each(['', 'x', 'a.b.c', 'e30.e30.', 'e30.W10.x', `e30.${'a'.repeat(40_000)}.x`])(
    '%.20s is none',
    async (token) => {
      await expect(ask(token)).rejects.toThrow(/^MalformedToken/);
    },
  );

  it('are checked against the keys that are given, and no other way', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    const other = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one' };
    const strict = new Authority(
      { namespace: [], entity: () => [] },
      { jwtRules: JWT_RULES, jwt: { hmacKey: 'an hmac key of thirty-two bytes!', keys: { keys: [jwk] } } },
    );
    const signed = (alg: string, key: Parameters<SignJWT['sign']>[0], kid = 'one') =>
      new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(key);
    const secret = (text: string) => new TextEncoder().encode(text);
    await ask(await signed('RS256', privateKey), strict);
    await ask(await signed('HS256', secret('an hmac key of thirty-two bytes!')), strict);
    const forged = [
      unsigned(),
      await signed('RS256', other.privateKey),
      await signed('RS256', privateKey, 'two'),
      await signed('HS256', secret('another hmac key of 32 bytes ...')),
      await signed('HS256', secret(JSON.stringify(jwk))),
    ];
    for (const token of forged) await expect(ask(token, strict)).rejects.toThrow(/^InvalidSignature/);
  });

  it('are told apart from signatures by the type that put-token names', () => {
    expect(tokenKindOf('servicebus.windows.net:sastoken')).toBe('sas');
    expect(tokenKindOf('JWT')).toBe('jwt');
    expect(tokenKindOf('amqp:jwt')).toBe('jwt');
    expect(tokenKindOf('constructor')).toBeUndefined();
  });
});

describe('the Authorization header', () => {
  const request = (authorization?: string, url = '/shop/orders?x=1', host = 'bus.example:5300') =>
    ({ url, headers: { host, ...(authorization !== undefined && { authorization }) } }) as IncomingMessage;

  it('holds a signature or a bearer token', async () => {
    expect((await authorize(authority, request(sas(sender)), NOW)).audiencePath).toBe('shop/orders');
    const token = new UnsecuredJWT({ aud: 'https://servicebus.azure.net', exp: NOW / 1_000 + 60 }).encode();
    expect((await authorize(authority, request(`Bearer ${token}`), NOW)).audiencePath).toBe('shop/orders');
    expect((await authorize(authority, request(sas(sender), 'http://bus.example/q'), NOW)).audiencePath).toBe('q');
  });

  it.each([
    [undefined, 'MissingToken'],
    ['  ', 'MissingToken'],
    ['Basic dTpw', 'MalformedToken'],
    ['Bearer', 'MalformedToken'],
    ['Bearer two words', 'MalformedToken'],
    [sas(root, 'sb://other.example/'), 'InvalidAudience'],
  ])('%.40s is refused: %s', async (header, reason) => {
    await expect(authorize(authority, request(header), NOW)).rejects.toThrow(reason);
  });

  it('is read whatever its letter case', () => {
    expect(readAuthorization('bearer x')).toEqual({ kind: 'jwt', token: 'x' });
    expect(readAuthorization('sharedaccesssignature sr=x')).toMatchObject({ kind: 'sas' });
  });

  it("of the vendor's administration client is understood", async () => {
    const grants: (Grant | Error)[] = [];
    const listener = await echoListener({
      async http(incoming, response) {
        grants.push(await authorize(authority, incoming, Date.now()).catch((error: Error) => error));
        response.writeHead(404).end();
      },
    });
    const { caCert } = await certificates.identity();
    const client = (key: string) =>
      new ServiceBusAdministrationClient(
        `Endpoint=sb://localhost:${listener.port}/;SharedAccessKeyName=Root;SharedAccessKey=${key}`,
        { tlsOptions: { ca: caCert }, retryOptions: { maxRetries: 0 } } as object,
      );
    for (const key of [root.key, 'wrong']) await client(key).queueExists('Shop/Orders');
    expect(grants).toMatchObject([
      { audiencePath: 'shop/orders', rule: 'Root' },
      { message: 'InvalidSignature: The token has an invalid signature.' },
    ]);
  });
});
