import { serviceBus } from '@polycast/service-bus';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { Scene, until } from './scene.ts';
import { SdkFaults } from './sdk-faults.ts';

const shop = { role: 'shop', instance: 'shop-1' };
const kitchen = { role: 'kitchen', instance: 'kitchen-1' };

const faults = new SdkFaults();
afterAll(() => faults.restore());
let scene: Scene | undefined;
afterEach(async () => scene?.[Symbol.asyncDispose]());

/** Everything that a client does: sends, reads with and without sessions, settles, loses its connection, comes back. */
async function live(one: Scene) {
  const ledger = new Ledger();
  const transport = { operationTimeoutMs: 10_000, keepAliveMs: 10_000, stalledAfterMs: 10_000 };
  const parties = [
    await one.join({ self: shop, transport }),
    await one.join({ self: kitchen, transport, retry: { maxAttempts: 20 } }),
  ] as const;
  await parties[1].cast.subscribe(ledger.handle, { group: 'cooks', lockMs: 5_000 });
  const connected = () => parties.every(({ of }) => of('reconnected').length === of('disconnected').length);
  return { ledger, parties, connected };
}

const THROWN = [
  'connection_open',
  'connection_close',
  'connection_error',
  'disconnected',
  'session_open',
  'session_close',
  'sender_open',
  'sendable',
  'receiver_open',
  'receiver_close',
  'message',
  'accepted',
  'settled',
];
/** Those for which the SDK has asynchronous listeners. */
const REJECTED = ['disconnected', 'message'];

describe('a listener of the SDK', () => {
  it.each([
    ['throws', THROWN],
    ['rejects', REJECTED],
  ])(
    '%s, whichever it is: the connection is made anew, and what was confirmed arrives',
    async (deed, events) => {
      scene = await Scene.open();
      const { ledger, parties, connected } = await live(scene);
      for (const event of events) {
        await ledger.publish(parties[0].cast);
        faults.arm(event, { rejects: deed === 'rejects' });
        await scene.service.restart();
        await ledger.publish(parties[0].cast, undefined, { partitionKey: event });
        await ledger.publish(parties[0].cast);
        await until(`${event} ${deed}`, () => faults.thrown > 0);
        faults.disarm();
        // An event that was not handed on comes again when its lock ends.
        await until(`all that was confirmed before and after ${event} is handled`, () =>
          ledger.confirmed.every((id) => ledger.handled.includes(id)),
        );
        await until(`they are connected after ${event}`, connected);
      }
    },
    120_000,
  );
});

describe('a timer of the SDK', () => {
  it('rings when its connection is gone: nothing is thrown', async () => {
    scene = await Scene.open();
    const { ledger, parties, connected } = await live(scene);
    await ledger.publish(parties[0].cast);
    await ledger.publish(parties[0].cast, undefined, { partitionKey: 'k' });
    for (let round = 0; round < 4; round++) {
      const before = parties.map(({ of }) => of('disconnected').length);
      const isRude = round % 2 === 0;
      if (isRude) scene.service.freeze();
      const publishing = ledger.publish(parties[0].cast);
      if (isRude) scene.proxy.cut();
      else await scene.service.restart();
      scene.service.thaw();
      await until('both know', () => parties.every(({ of }, at) => of('disconnected').length > (before[at] ?? 0)));
      faults.ring();
      await publishing;
      faults.ring();
      await ledger.balance();
      // Whoever is still on the way back would not say again that it is disconnected.
      await until('they are connected', connected);
    }
  }, 120_000);
});

/** What of a client of the SDK is looked at. */
interface SdkClient {
  readonly _connectionContext: {
    readonly senders: Record<string, { readonly link: { send(message: object, options: object): Promise<unknown> } }>;
    readonly cbsSession: {
      readonly _cbsSenderReceiverLink: { sendRequest(request: object, options: object): Promise<unknown> };
    };
  };
}

describe('a link of the SDK', () => {
  it('is lost: what is sent over it all the same fails at once, and keeps nothing alive', async () => {
    scene = await Scene.open();
    const told: string[] = [];
    const link = await serviceBus({ connectionString: scene.connectionString }).open({
      topic: scene.topic,
      self: shop,
      signal: ({ kind }) => told.push(kind),
      meter: () => {},
    });
    const { senders, cbsSession } = (link.native as SdkClient)._connectionContext;
    const sender = Object.values(senders)[0]!.link;
    const requests = cbsSession._cbsSenderReceiverLink;
    scene.proxy.cut();
    await until('it is lost', () => told.includes('disconnected'));
    const lost = { name: 'ConnectionLostError' };
    await expect(sender.send({ body: 'late' }, { timeoutInSeconds: 60 })).rejects.toMatchObject(lost);
    await expect(requests.sendRequest({ body: 'late' }, { timeoutInMs: 60_000 })).rejects.toMatchObject(lost);
    await link.close();
    await until('nothing is left', () => faults.waiting === 0);
  });
});
