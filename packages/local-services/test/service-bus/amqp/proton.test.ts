import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signSas } from '../../../src/auth/index.ts';
import { Content } from '../../../src/service-bus/message/index.ts';
import { KEY, type Served, serve, until } from './harness.ts';
import { needProton, proton, type Step } from './proton/run.ts';

let served: Served;

beforeAll(async () => {
  await needProton();
  served = await serve();
}, 300_000);
afterAll(() => served?.[Symbol.asyncDispose]());

beforeEach(() => {
  const { entities } = served.broker;
  for (const { path } of entities.queues()) entities.deleteQueue(path);
  entities.createQueue('q');
  entities.createQueue('s', { requiresSession: true });
});

const connect = (more: object = {}): Step => ({
  do: 'connect',
  url: `amqp://127.0.0.1:${served.port}`,
  user: 'root',
  password: KEY,
  ...more,
});

/** Runs steps behind a connection with all rights, and gives what each gave. */
async function steps(...list: Step[]) {
  const [connected, ...results] = await proton([connect(), ...list]);
  expect(connected).toEqual({ ok: null });
  return results;
}

const sender = { do: 'sender', name: 'out', address: 'q' };
const receiver = { do: 'receiver', name: 'in', address: 'q' };
const send = (fields: object = {}) => ({ do: 'send', link: 'out', id: 'm', ...fields });
const receive = (fields: object = {}) => ({ do: 'receive', link: 'in', ...fields });

describe('Qpid Proton', () => {
  it('is let in by PLAIN, and by ANONYMOUS without any right', async () => {
    const [wrong] = await proton([connect({ password: 'wrong' })]);
    expect(wrong!.failed).toMatch(/sasl|auth/i);
    const [anonymous, refused] = await proton([
      connect({ mechanisms: 'ANONYMOUS', user: null, password: null }),
      sender,
    ]);
    expect(anonymous).toEqual({ ok: null });
    expect(refused).toMatchObject({ detached: 'amqp:unauthorized-access' });
  });

  it('holds few links before it may do anything', async () => {
    const anonymous = connect({ mechanisms: 'ANONYMOUS', user: null, password: null });
    const links = Array.from({ length: 201 }, (_, at) => ({ do: 'sender', name: `l${at}`, address: '$cbs' }));
    const [, ...results] = await proton([anonymous, ...links]);
    expect(results.slice(0, 200).every((result) => 'ok' in result)).toBe(true);
    expect(JSON.stringify(results[200])).toContain('resource-limit-exceeded');
  });

  it('sends and receives, every type as it was', async () => {
    const properties = {
      int: ['int', -5],
      long: ['long', 2 ** 40],
      ubyte: ['ubyte', 7],
      ulong: ['ulong', 9],
      float: ['float', 0.5],
      double: ['double', 1.25],
      text: ['string', 'grüß'],
      yes: ['boolean', true],
      at: ['timestamp', 1_700_000_000_000],
      id: ['uuid', '00112233-4455-6677-8899-aabbccddeeff'],
      symbol: ['symbol', 'sym'],
      bytes: ['binary', '0102'],
    };
    const results = await steps(sender, send({ body: 'hello', properties }), receiver, receive(), { do: 'settle' });
    expect(results.map(({ ok }) => ok)).toMatchObject([
      null,
      'ACCEPTED',
      null,
      {
        id: 'm',
        body: 'hello',
        deliveryCount: 0,
        properties: {
          int: ['int32', -5],
          long: ['int', 2 ** 40],
          ubyte: ['ubyte', 7],
          ulong: ['ulong', 9],
          float: ['float32', 0.5],
          double: ['float', 1.25],
          text: ['str', 'grüß'],
          yes: ['bool', true],
          at: ['timestamp', 1_700_000_000_000],
          id: ['uuid', '00112233-4455-6677-8899-aabbccddeeff'],
          symbol: ['symbol', 'sym'],
          bytes: ['binary', '0102'],
        },
        annotations: [
          'x-opt-enqueue-sequence-number',
          'x-opt-enqueued-time',
          'x-opt-locked-until',
          'x-opt-sequence-number',
        ],
      },
      ['ACCEPTED', null],
    ]);
    expect(served.broker.counts().active).toBe(0);
  });

  it('is shown the lock, the state and the header', async () => {
    const { broker } = served;
    const scheduled = Content.build({ body: Buffer.from('later'), messageId: 'later', scheduledAtMs: Date.now() + 20 });
    broker.target('q').send([scheduled]);
    await until(() => broker.entities.queue('q')!.counts.scheduled === 0);
    const results = await steps(sender, send({ first_acquirer: true }), receiver, receive(), receive());
    expect(results.slice(3)).toMatchObject([
      { ok: { state: 2, instructions: { 'x-opt-lock-token': ['uuid', expect.stringMatching(/^[0-9a-f-]{36}$/)] } } },
      { ok: { state: null, instructions: { 'x-opt-lock-token': ['uuid', expect.any(String)] }, firstAcquirer: true } },
    ]);
  });

  it('settles with every outcome', async () => {
    const results = await steps(
      sender,
      send(),
      receiver,
      receive(),
      { do: 'settle', outcome: 'released' },
      receive(),
      { do: 'settle', outcome: 'modified', annotations: { added: ['long', 5] } },
      receive(),
      { do: 'settle', outcome: 'rejected', condition: 'my:reason', description: 'because' },
      { do: 'receiver', name: 'dead', address: 'q/$deadletterqueue' },
      receive({ link: 'dead' }),
    );
    const received = results
      .filter(({ ok }) => ok !== null && typeof ok === 'object' && 'id' in ok)
      .map(({ ok }) => ok);
    expect(received).toMatchObject([
      { deliveryCount: 0 },
      { deliveryCount: 0 },
      { deliveryCount: 1, properties: { added: ['int', 5] } },
      { properties: { DeadLetterReason: ['str', 'my:reason'], DeadLetterErrorDescription: ['str', 'because'] } },
    ]);
    expect(results.filter(({ ok }) => Array.isArray(ok)).map(({ ok }) => ok)).toEqual(
      Array(3).fill(['ACCEPTED', null]),
    );
  });

  it('defers', async () => {
    await steps(sender, send(), receiver, receive(), { do: 'settle', outcome: 'modified', undeliverable: true });
    expect(served.broker.source('q').peek(1, 1)).toMatchObject([{ state: 'deferred' }]);
  });

  it('is refused what is not there', async () => {
    const results = await steps({ ...sender, address: 'none' }, { ...receiver, address: 'none' });
    expect(results).toMatchObject([{ detached: 'amqp:not-found' }, { detached: 'amqp:not-found' }]);
  });

  it('drains at once, full and empty', async () => {
    const results = await steps(receiver, { do: 'drain', link: 'in', credit: 10 }, sender, send(), send(), {
      do: 'drain',
      link: 'in',
      credit: 10,
    });
    expect([results[1]!.ok, results.at(-1)!.ok]).toEqual([0, 2]);
  });

  it('sends settled and receives settled', async () => {
    const results = await steps(
      sender,
      send({ presettled: true, body: 'p' }),
      { ...receiver, mode: 'receive-and-delete' },
      receive(),
    );
    expect(results.at(-1)!.ok).toMatchObject({ body: 'p' });
    expect(served.broker.counts().active).toBe(0);
  });

  it('sends and receives over many frames', async () => {
    const results = await proton([
      connect({ max_frame_size: 1_024 }),
      sender,
      send({ size: 200_000 }),
      receiver,
      receive(),
    ]);
    expect(results[2]!.ok).toBe('ACCEPTED');
    expect(results[4]!.ok).toMatchObject({ body: { bytes: 200_000 } });
  });

  it('is refused what is too large', async () => {
    const results = await steps(sender, send({ size: 300_000 }), send({ body: 'small' }));
    expect(results.map(({ ok }) => ok)).toEqual([null, 'REJECTED', 'ACCEPTED']);
  });

  it('receives one session, named or the next', async () => {
    const results = await steps(
      { ...sender, address: 's' },
      send({ group_id: 'a' }),
      send({ group_id: 'b', body: 'of b' }),
      { do: 'receiver', name: 'named', address: 's', session: 'b' },
      receive({ link: 'named' }),
      { do: 'receiver', name: 'next', address: 's', session: null },
      { do: 'receiver', name: 'taken', address: 's', session: 'b' },
    );
    expect(results.slice(3)).toMatchObject([
      { ok: { 'com.microsoft:session-filter': 'b' } },
      { ok: { body: 'of b' } },
      { ok: { 'com.microsoft:session-filter': 'a' } },
      { detached: 'com.microsoft:session-cannot-be-locked' },
    ]);
  });

  it('may give up waiting for a session', async () => {
    const results = await steps(
      { do: 'give_up', address: 's' },
      { ...sender, address: 's' },
      send({ group_id: 'later' }),
      // Nobody took it in the meantime.
      { do: 'receiver', name: 'next', address: 's', session: null },
    );
    expect(results.at(-1)).toEqual({ ok: { 'com.microsoft:session-filter': 'later' } });
  });

  it('has no transactions, and sends by way of no other entity', async () => {
    const results = await steps(
      { ...sender, coordinator: true },
      { ...sender, properties: { 'com.microsoft:transfer-destination-address': 's' } },
    );
    expect(results).toMatchObject([{ detached: 'amqp:not-implemented' }, { detached: 'amqp:not-implemented' }]);
  });

  it('has no dynamic nodes', async () => {
    expect(await steps({ do: 'dynamic' })).toEqual([{ detached: 'amqp:not-implemented' }]);
  });

  it('is not let in by EXTERNAL', async () => {
    const [refused] = await proton([connect({ mechanisms: 'EXTERNAL', user: null, password: null })]);
    expect(refused!.failed).toMatch(/sasl|auth|mechanism/i);
  });

  it('is counted no failure for what it releases, but for what it settles without an outcome', async () => {
    const results = await steps(
      sender,
      send(),
      receiver,
      receive(),
      { do: 'settle', outcome: 'released' },
      receive(),
      { do: 'settle', outcome: 'none' },
      receive(),
    );
    expect([results[3], results[5], results[7]]).toMatchObject([
      { ok: { deliveryCount: 0 } },
      { ok: { deliveryCount: 0 } },
      { ok: { deliveryCount: 1 } },
    ]);
  });

  it('is refused one by one what was under way when the queue went', async () => {
    const { broker } = served;
    broker.source('q').receive('receive-and-delete', () => broker.entities.deleteQueue('q')).credit = 1;
    const results = await steps(sender, { do: 'burst', link: 'out', count: 50 });
    const [first, ...others] = results[1]!.ok as unknown[];
    expect(first).toEqual(['ACCEPTED', null]);
    expect(others).toEqual(Array(49).fill(['REJECTED', 'amqp:not-found']));
  });

  it('keeps its link when another takes the name', async () => {
    const results = await proton([
      connect({ container_id: 'same' }),
      { ...sender, link_name: 'name' },
      connect({ container_id: 'same' }),
      { ...sender, name: 'other', link_name: 'name' },
      send(),
      send({ link: 'other' }),
    ]);
    expect(results.slice(4)).toEqual([{ ok: 'ACCEPTED' }, { ok: 'ACCEPTED' }]);
  });

  it('is told no more by a peek than a batch may hold', async () => {
    const results = await steps(sender, ...Array.from({ length: 5 }, () => send({ size: 100_000 })), {
      do: 'request',
      address: 'q/$management',
      properties: { operation: ['string', 'com.microsoft:peek-message'] },
      body: { 'from-sequence-number': ['long', 1], 'message-count': ['int', 5] },
    });
    expect(results.at(-1)).toEqual({ ok: { status: 200, messages: 2 } });
  });

  it('is answered at once, whatever time and link a request names', async () => {
    const [, answer] = await steps(sender, {
      do: 'request',
      address: 'q/$management',
      properties: {
        operation: ['string', 'com.microsoft:peek-message'],
        'com.microsoft:server-timeout': ['int', 0],
        'associated-link-name': ['string', 'no link of this name'],
      },
      body: { 'from-sequence-number': ['long', 1], 'message-count': ['int', 5] },
    });
    // Nothing is in the queue.
    expect(answer).toEqual({ ok: { status: 204, messages: 0 } });
  });

  it('may show a token under any name of its type', async () => {
    const audience = 'sb://127.0.0.1/q';
    const token = signSas(audience, { name: 'root', key: KEY }, Date.now() + 60_000);
    const show = (type: string) => ({
      do: 'request',
      address: '$cbs',
      properties: {
        operation: ['string', 'put-token'],
        type: ['string', type],
        name: ['string', audience],
      },
      body: token,
    });
    const anonymous = connect({ mechanisms: 'ANONYMOUS', user: null, password: null });
    const results = await proton([
      anonymous,
      show('amqp:sastoken'),
      sender,
      show('servicebus.windows.net:sastoken'),
      show('sastoken'),
    ]);
    expect(results.slice(1)).toEqual([
      { ok: { status: 202, messages: 0 } },
      { ok: null },
      { ok: { status: 202, messages: 0 } },
      { ok: { status: 400, messages: 0 } },
    ]);
  });

  it('changes rules with the right to listen', async () => {
    const { entities } = served.broker;
    if (entities.topic('t') === undefined) entities.createTopic('t');
    entities.createSubscription('t', 's');
    const results = await proton([
      connect({ user: 'listener' }),
      {
        do: 'request',
        address: 't/Subscriptions/s/$management',
        properties: { operation: ['string', 'com.microsoft:remove-rule'] },
        body: { 'rule-name': ['string', '$Default'] },
      },
    ]);
    expect(results[1]).toEqual({ ok: { status: 200, messages: 0 } });
    expect(entities.rules('t', 's')).toEqual([]);
    entities.deleteTopic('t');
  });
});
