import { readFile } from 'node:fs/promises';
import tls from 'node:tls';
import { signSas } from '@polycast/local-services/service-bus';
import { afterAll, describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { type Party, Scene, until } from './scene.ts';
import { ShiftedClock } from './shifted-clock.ts';

const shop = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };
const rule = { name: 'full', key: 'a2V5LW9mLWFsbC1yaWdodHM=', rights: ['manage', 'send', 'listen'] } as const;
const HOUR_MS = 3_600_000;

/** Nobody but the environment of a new process can say whom Node's TLS trusts; the SDK has no option for it. */
const createSecureContext = tls.createSecureContext;
function trust(authority: string): void {
  tls.createSecureContext = (options) => {
    const made = createSecureContext(options);
    made.context.addCACert(authority);
    return made;
  };
}
afterAll(() => {
  tls.createSecureContext = createSecureContext;
});

/** A credential of Entra ID. When the SDK renews is told by `renewAfterMs`, when the service ends it by `lifeMs`. */
class Tokens {
  issued = 0;
  refuses = false;
  readonly #lifeMs: number;
  readonly #renewAfterMs: number;

  constructor(lifeMs: number, renewAfterMs: number) {
    this.#lifeMs = lifeMs;
    this.#renewAfterMs = renewAfterMs;
  }

  readonly getToken = async (): Promise<{ token: string; expiresOnTimestamp: number }> => {
    if (this.refuses) throw Object.assign(new Error('nobody is at home'), { name: 'CredentialUnavailableError' });
    this.issued++;
    const claims = { aud: 'https://servicebus.azure.net', exp: Math.floor((Date.now() + this.#lifeMs) / 1_000) };
    const [head, body] = [{ alg: 'none', typ: 'JWT' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    // The SDK renews two minutes before the end that it is told.
    return { token: `${head}.${body}.c2lnbmF0dXJl`, expiresOnTimestamp: Date.now() + 120_000 + this.#renewAfterMs };
  };
}

async function joinWith(scene: Scene, credential: Tokens): Promise<Party> {
  trust(await readFile(await scene.service.caFile(), 'utf8'));
  return scene.join({
    self: kitchen,
    transport: {
      fullyQualifiedNamespace: `localhost:${scene.service.port}`,
      credential,
      administrationUrl: `https://localhost:${scene.service.port}`,
    },
  });
}

describe('a token of Entra ID', () => {
  it('is renewed in time: nobody notices', async () => {
    const clock = new ShiftedClock();
    await using scene = await Scene.open({ clock });
    const ledger = new Ledger();
    const sender = await scene.join({ self: shop });
    const credential = new Tokens(HOUR_MS, 300);
    const receiver = await joinWith(scene, credential);
    await receiver.cast.subscribe(ledger.handle);
    const { issued } = credential;
    await until('it was renewed', () => credential.issued > issued + 2);
    // All that was there before is over.
    clock.advance(HOUR_MS - 2_000);
    const again = credential.issued;
    await until('it was renewed once more', () => credential.issued > again + 2);
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    expect(receiver.signals).toEqual([]);
    // For HTTP the SDK keeps the token it began with, which may be over by now.
    await receiver.cast.close();
    const { entities } = scene.service.broker;
    for (const { name } of entities.subscriptions(scene.topic)) entities.deleteSubscription(scene.topic, name);
    await scene.end();
  });

  it('is not renewed: the source is failed with unauthorized; nothing is acknowledged', async () => {
    const clock = new ShiftedClock();
    await using scene = await Scene.open({ clock });
    const ledger = new Ledger();
    const sender = await scene.join({ self: shop });
    const credential = new Tokens(HOUR_MS, HOUR_MS);
    const receiver = await joinWith(scene, credential);
    await receiver.cast.subscribe(ledger.handle);
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    await until('it is settled', () => scene.held === 0);
    credential.refuses = true;
    clock.advance(HOUR_MS);
    await until('it is told', () => receiver.of('failed').length > 0);
    expect(receiver.of('failed')[0]).toMatchObject({ what: 'source', error: { code: 'unauthorized' } });
    expect((await scene.refused(receiver.cast.publish({ type: 'order' }))).code).toBe('unauthorized');
    await sender.cast.close();
    await scene.end({ keeps: 1 });
  });
});

describe('a signature that somebody else made', () => {
  it('lets in while it is good, and is unauthorized afterwards', async () => {
    const clock = new ShiftedClock();
    await using scene = await Scene.open({ clock, accessRules: [rule] });
    const signature = signSas(`sb://127.0.0.1:${scene.proxy.port}/`, rule, Date.now() + 60_000);
    const connectionString = `Endpoint=sb://127.0.0.1:${scene.proxy.port};SharedAccessSignature=${signature};UseDevelopmentEmulator=true`;
    scene.service.broker.entities.createTopic(scene.topic, { requiresDuplicateDetection: true });
    const { cast } = await scene.join({ self: shop, transport: { connectionString, create: false } });
    await cast.publish({ type: 'order' });
    clock.advance(60_000);
    await until('the service has ended the link', () =>
      scene.proxy.seen.some(({ performative }) => performative === 'detach'),
    );
    expect((await scene.refused(cast.publish({ type: 'order' }))).code).toBe('unauthorized');
    const late = scene.join({ self: kitchen, transport: { connectionString, create: false } });
    expect((await scene.refused(late)).code).toBe('unauthorized');
    await scene.end();
  });
});

describe('a key that is revoked while it is in use', () => {
  it('goes on until its token ends, then it is unauthorized', async () => {
    const clock = new ShiftedClock();
    const rules: { name: string; key: string; rights: typeof rule.rights }[] = [{ ...rule }];
    await using scene = await Scene.open({ clock, accessRules: rules });
    const ledger = new Ledger();
    const sender = await scene.join({ self: shop });
    const receiver = await scene.join({ self: kitchen });
    await receiver.cast.subscribe(ledger.handle);
    (rules[0] as { key: string }).key = 'YW5vdGhlci1rZXk=';
    await ledger.publish(sender.cast);
    await ledger.balanceInOrder();
    await until('it is settled', () => scene.held === 0);
    clock.advance(HOUR_MS);
    await until('it is told', () => receiver.of('failed').length > 0);
    expect(receiver.of('failed')[0]).toMatchObject({ what: 'source', error: { code: 'unauthorized' } });
    expect((await scene.refused(sender.cast.publish({ type: 'order' }))).code).toBe('unauthorized');
    await scene.end({ keeps: 1 });
  });
});
