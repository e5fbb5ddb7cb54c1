import rhea, { type Connection } from 'rhea';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../../src/time/manual-clock.ts';
import { KEY, type Served, type ServeOptions, serve, until } from './harness.ts';
import { ask, attachedTo, connectRhea, detachError, event, putToken } from './rhea-client.ts';

const { types } = rhea;

let served: Served;
const connections: Connection[] = [];

beforeEach(async () => {
  served = await serve();
  served.broker.entities.createQueue('q');
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await served[Symbol.asyncDispose]();
});

async function serveAgain(options: ServeOptions): Promise<void> {
  await served[Symbol.asyncDispose]();
  served = await serve(options);
  served.broker.entities.createQueue('q', { lockDurationMs: 30_000 });
}

function connect(options?: object): Connection {
  const connection = connectRhea(served.port, options);
  connections.push(connection);
  return connection;
}

/** By SASL PLAIN with all rights. */
const authorised = () => connect({ username: 'root', password: KEY });

describe('who may do what', () => {
  it('SASL PLAIN grants what its policy does', async () => {
    const connection = connect({ username: 'listener', password: KEY });
    await event(connection.open_receiver('q'), 'receiver_open');
    const sender = connection.open_sender('q');
    expect(await detachError(sender)).toEqual({
      condition: 'amqp:unauthorized-access',
      description: "Unauthorized access. 'Send' claim(s) are required to perform this operation. Resource: 'q'.",
    });
    // Attached to nothing, before it was detached.
    expect(attachedTo(sender)).toBeNull();
  });

  it.each([
    ['a wrong key', { username: 'root', password: 'wrong' }],
    ['an unknown policy', { username: 'nobody', password: KEY }],
  ])('SASL PLAIN refuses %s', async (_what, options) => {
    const { error } = await event(connect(options), 'connection_error');
    expect(error).toMatchObject({ condition: 'amqp:unauthorized-access' });
    await until(() => served.sockets.size === 0);
  });

  it('MSSBCBS, ANONYMOUS and no SASL at all let in and grant nothing', async () => {
    const mechanisms = { MSSBCBS: () => ({ start: (done: (e: undefined, r: string) => void) => done(undefined, '') }) };
    for (const options of [{ sasl_mechanisms: mechanisms }, { username: 'anonymous' }, {}]) {
      const connection = connect(options);
      await event(connection, 'connection_open');
      expect(await detachError(connection.open_receiver('q'))).toMatchObject({ condition: 'amqp:unauthorized-access' });
      expect(await putToken(connection, { path: 'q' })).toEqual({ status: 202, description: 'Accepted' });
      await event(connection.open_receiver('q'), 'receiver_open');
    }
  });

  it('refuses EXTERNAL', async () => {
    const connection = connect({
      sasl_mechanisms: {
        EXTERNAL: () => ({ start: (done: (e: undefined, r: string) => void) => done(undefined, '') }),
      },
    });
    await event(connection, 'connection_error');
  });

  it('a token is for its audience and what is below it', async () => {
    served.broker.entities.createQueue('q/below');
    served.broker.entities.createQueue('qq');
    const connection = connect();
    await putToken(connection, { path: 'q' });
    await event(connection.open_receiver('q/below'), 'receiver_open');
    await event(connection.open_receiver('q/$deadletterqueue'), 'receiver_open');
    expect(await detachError(connection.open_receiver('qq'))).toMatchObject({ condition: 'amqp:unauthorized-access' });
  });

  it.each([
    ['another operation', { operation: 'delete-token' }, 400],
    ['an unknown type', { type: 'amqp:cookie' }, 400],
    ['an expired token', { expiresAtMs: 1_000 }, 401],
    ['an unknown policy', { rule: 'nobody' }, 401],
    ['a token of another type', { type: 'jwt' }, 401],
  ])('$cbs answers %s with a status', async (_what, request, status) => {
    const answer = await putToken(connect(), request);
    expect(answer.status).toBe(status);
    expect(answer.description).not.toContain(KEY);
  });

  it.each([
    ['none', 404],
    ['q/Subscriptions/none', 404],
    ['none/$management', 404],
    ['Q', 202],
    ['q/', 202],
    ['q/$management', 202],
    ['q/$deadletterqueue', 202],
    // Above an entity, and above all.
    ['deep', 202],
    ['', 202],
  ])('$cbs takes a token for what is there: %j is %i', async (path, status) => {
    served.broker.entities.createQueue('deep/er');
    const answer = await putToken(connect(), { path });
    expect(answer.status).toBe(status);
    const missing = path.replace('/$management', '');
    if (status === 404) expect(answer.description).toContain(`'sb://127.0.0.1/${missing}' could not be found.`);
  });

  it('names what is missing by host and whole path, to whoever attaches', async () => {
    const connection = connect({ username: 'root', password: KEY, hostname: 'bus.example' });
    const condition = 'amqp:not-found';
    for (const address of ['none', 'q/Subscriptions/s', 'none/$management']) {
      const entity = `sb://bus.example/${address.replace('/$management', '')}`;
      expect(await detachError(connection.open_receiver(address))).toEqual({
        condition,
        description: `The messaging entity '${entity}' could not be found.`,
      });
    }
  });

  it('detaches links when their token ends, unless it was renewed', async () => {
    const clock = manualClock();
    await serveAgain({ clock });
    served.broker.entities.createQueue('kept');
    const connection = connect();
    await putToken(connection, { path: 'q', expiresAtMs: clock.now() + 60_000 });
    await putToken(connection, { path: 'kept', expiresAtMs: clock.now() + 60_000 });
    const [ends, stays] = [connection.open_receiver('q'), connection.open_sender('kept')];
    await Promise.all([event(ends, 'receiver_open'), event(stays, 'sender_open')]);
    await putToken(connection, { path: 'kept', expiresAtMs: clock.now() + 600_000 });
    clock.advance(59_000);
    const error = detachError(ends);
    clock.advance(2_000);
    expect(await error).toMatchObject({ condition: 'amqp:unauthorized-access', description: /expired/ });
    expect(stays.is_open()).toBe(true);
    clock.advance(600_000);
    expect(await detachError(stays)).toMatchObject({ condition: 'amqp:unauthorized-access' });
  });

  it('closes connections that show nothing in time, and only those', async () => {
    await serveAgain({ authorisationDeadlineMs: 150 });
    const good = connect();
    await putToken(good, { path: 'q' });
    const idle = connect();
    const { connection } = await event(idle, 'connection_close');
    expect(connection.error).toMatchObject({ condition: 'amqp:unauthorized-access' });
    expect(good.is_open()).toBe(true);
  });
});

describe('links', () => {
  it.each([
    ['an unknown entity', () => ({ source: 'none' }), 'amqp:not-found'],
    ['no address', () => ({ source: {} }), 'amqp:invalid-field'],
    ['a dynamic node', () => ({ source: { dynamic: true } }), 'amqp:not-implemented'],
    ['$management of an unknown entity', () => ({ source: 'none/$management' }), 'amqp:not-found'],
    ['a topic to receive from', () => ({ source: 'topic' }), 'amqp:not-allowed'],
  ])('to %s are refused', async (_what, options, condition) => {
    served.broker.entities.createTopic('topic');
    const link = authorised().open_receiver(options() as never);
    expect(await detachError(link)).toMatchObject({ condition });
    expect(attachedTo(link)).toBeNull();
  });

  it('to a coordinator of transactions are refused', async () => {
    const sender = authorised().open_sender('q');
    // Before it is written, at the end of the turn.
    const { local } = sender as unknown as { local: { attach: { target: unknown } } };
    local.attach.target = types.wrap_described([], 0x30);
    expect(await detachError(sender)).toMatchObject({ condition: 'amqp:not-implemented' });
  });

  it('may be named by whole URIs and in any case', async () => {
    const connection = authorised();
    await event(connection.open_receiver('sb://127.0.0.1/Q'), 'receiver_open');
    await event(connection.open_sender('amqps://host:5671/q/'), 'sender_open');
  });

  it('of both directions may share a name', async () => {
    const connection = authorised();
    const receiver = connection.open_receiver({ name: 'same', source: 'q' });
    await event(receiver, 'receiver_open');
    const other = authorised();
    const sender = other.open_sender({ name: 'same', target: 'q' });
    await event(sender, 'sender_open');
  });

  it('say how large messages and batches may be', async () => {
    const sender = authorised().open_sender('q');
    await event(sender, 'sender_open');
    expect(sender.max_message_size).toBe(262_144);
    expect(sender.properties).toEqual({ 'com.microsoft:max-message-batch-size': 262_144 });
    await serveAgain({ tier: 'premium' });
    served.broker.entities.createQueue('large', { maxMessageSizeInKilobytes: 4_096 });
    const large = authorised().open_sender('large');
    await event(large, 'sender_open');
    expect(large.max_message_size).toBe(4_194_304);
    expect(large.properties).toEqual({ 'com.microsoft:max-message-batch-size': 1_048_576 });
  });

  it('give deliveries a tag that is the lock token, and take settlement by it', async () => {
    const connection = authorised();
    const receiver = connection.open_receiver({ source: 'q', credit_window: 0, autoaccept: false, rcv_settle_mode: 1 });
    await event(receiver, 'receiver_open');
    const sender = connection.open_sender('q');
    await event(sender, 'sendable');
    sender.send({ message_id: 'm', body: 'b' });
    await event(sender, 'accepted');
    receiver.add_credit(1);
    const { delivery } = await event(receiver, 'message');
    expect(delivery!.tag).toHaveLength(16);
    const settled = event(receiver, 'settled');
    delivery!.accept();
    expect((await settled).delivery!.remote_state).toBeDefined();
    expect(served.broker.counts().active).toBe(0);
  });

  it('lose their session with its lock', async () => {
    const clock = manualClock();
    await serveAgain({ clock });
    served.broker.entities.createQueue('s', { requiresSession: true, lockDurationMs: 30_000 });
    const connection = authorised();
    const receiver = connection.open_receiver({
      source: { address: 's', filter: { 'com.microsoft:session-filter': 'mine' } as never },
    });
    await event(receiver, 'receiver_open');
    expect(receiver.source.filter).toEqual({ 'com.microsoft:session-filter': 'mine' });
    expect(receiver.properties).toHaveProperty('com.microsoft:locked-until-utc');
    const error = detachError(receiver);
    clock.advance(31_000);
    expect(await error).toMatchObject({ condition: 'com.microsoft:session-lock-lost' });
  });

  it('get no more than they have credit for, and keep to the window of the session', async () => {
    const connection = connect({
      username: 'root',
      password: KEY,
      session_buffer_size: { incoming: 8, outgoing: 2048 },
      max_frame_size: 512,
    });
    const sender = authorised().open_sender('q');
    await event(sender, 'sendable');
    for (let i = 0; i < 30; i++) sender.send({ message_id: String(i), body: 'x'.repeat(2_000) });
    await until(() => served.broker.counts().active === 30);
    const receiver = connection.open_receiver({ source: 'q', credit_window: 0, snd_settle_mode: 1 });
    const ids: unknown[] = [];
    receiver.on('message', ({ message }) => ids.push(message?.message_id));
    await event(receiver, 'receiver_open');
    receiver.add_credit(10);
    await until(() => ids.length === 10);
    await ask(connection, 'q', 'peek-message', peekBody(1));
    expect(ids).toHaveLength(10);
    receiver.add_credit(50);
    await until(() => ids.length === 30);
    expect(ids).toEqual(Array.from({ length: 30 }, (_, i) => String(i)));
  });
});

const peekBody = (count: number, more: object = {}) => ({
  'from-sequence-number': types.wrap_long(1),
  'message-count': types.wrap_int(count),
  ...more,
});

describe('$management', () => {
  it('peeks without bodies', async () => {
    const connection = authorised();
    const sender = connection.open_sender('q');
    await event(sender, 'sendable');
    sender.send({ message_id: 'm', body: 'a body' });
    await event(sender, 'accepted');
    const answer = await ask(connection, 'q', 'peek-message', peekBody(5, { 'omit-message-body': true }));
    expect(answer.application_properties).toMatchObject({ statusCode: 200, 'com.microsoft:tracking-id': 'track' });
    const [{ message }] = (answer.body as { messages: { message: Buffer }[] }).messages as [{ message: Buffer }];
    expect(rhea.message.decode(message)).toMatchObject({ message_id: 'm' });
    expect(rhea.message.decode(message)).not.toHaveProperty('body');
  });

  it('deletes by batch', async () => {
    const connection = authorised();
    const sender = connection.open_sender('q');
    await event(sender, 'sendable');
    for (let i = 0; i < 3; i++) sender.send({ body: i });
    await until(() => served.broker.counts().active === 3);
    const answer = await ask(connection, 'q', 'batch-delete-messages', {
      'message-count': types.wrap_int(2),
      'enqueued-time-utc': new Date(Date.now() + 1_000),
    });
    expect(answer.body).toEqual({ 'message-count': 2 });
    expect(served.broker.counts().active).toBe(1);
  });

  it('lists sessions', async () => {
    served.broker.entities.createQueue('s', { requiresSession: true });
    const connection = authorised();
    const body = {
      'last-updated-time': new Date(253_402_300_800_000),
      skip: types.wrap_int(0),
      top: types.wrap_int(9),
    };
    expect((await ask(connection, 's', 'get-message-sessions', body)).application_properties.statusCode).toBe(204);
    const sender = connection.open_sender('s');
    await event(sender, 'sendable');
    for (const id of ['a', 'b']) sender.send({ group_id: id, body: 'x' });
    await until(() => served.broker.counts().active === 2);
    const answer = await ask(connection, 's', 'get-message-sessions', body);
    expect(answer.body).toEqual({ skip: 2, 'sessions-ids': ['a', 'b'] });
  });

  it.each([
    ['no-such-operation', {}, 501, 'amqp:not-implemented'],
    ['peek-message', 'no map', 400, 'com.microsoft:argument-error'],
    ['peek-message', {}, 400, 'com.microsoft:argument-error'],
    ['peek-message', peekBody(0), 400, 'com.microsoft:argument-out-of-range'],
    ['renew-lock', { 'lock-tokens': ['no uuid'] }, 400, 'com.microsoft:argument-error'],
    ['schedule-message', { messages: [{ message: Buffer.from([1]) }] }, 400, 'amqp:decode-error'],
    ['update-disposition', { 'disposition-status': 'eaten', 'lock-tokens': [] }, 400, 'com.microsoft:argument-error'],
    ['enumerate-rules', { skip: 0, top: 1 }, 400, 'amqp:not-allowed'],
    ['cancel-scheduled-message', { 'sequence-numbers': [types.wrap_long(9)] }, 404, 'com.microsoft:message-not-found'],
  ])('answers a bad %s', async (operation, body, status, condition) => {
    const answer = await ask(authorised(), 'q', operation, body);
    expect(answer.correlation_id).toBe('request');
    expect(answer.application_properties).toMatchObject({ statusCode: status, errorCondition: condition });
  });

  it('asks for the right of each operation', async () => {
    const connection = connect({ username: 'listener', password: KEY });
    const answer = await ask(connection, 'q', 'schedule-message', { messages: [] });
    expect(answer.application_properties).toMatchObject({
      statusCode: 401,
      errorCondition: 'amqp:unauthorized-access',
    });
  });
});

it.each([
  [65_536, 65_536],
  [512, 512],
  [1, 512],
  [4_294_967_295, 262_144],
])('agrees on the smaller of both largest frames: offered %i, answered %i', async (max_frame_size, answered) => {
  const connection = connect({ username: 'root', password: KEY, max_frame_size });
  await event(connection, 'connection_open');
  expect(connection.max_frame_size).toBe(answered);
});

describe('silence', () => {
  it('of a peer ends its connection', async () => {
    await serveAgain({ idleTimeoutMs: 100 });
    const { socket } = authorised() as unknown as { socket: { write: unknown } };
    await until(() => served.server.connections === 1);
    // It neither says nor answers anything any more.
    await until(() => served.sockets.size === 1);
    socket.write = () => true;
    await until(() => served.server.connections === 0);
  });

  it('is broken for a peer that wants so', async () => {
    const connection = connect({ username: 'root', password: KEY, idle_time_out: 100 });
    await event(connection, 'connection_open');
    const closed = new Promise((_, reject) => connection.once('disconnected', () => reject(new Error('fell silent'))));
    // Three times what the peer would wait.
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 700))]);
    expect(connection.is_open()).toBe(true);
  });
});
