import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, HttpNamespace } from './namespace.ts';

let namespace: HttpNamespace;

beforeAll(async () => {
  namespace = await HttpNamespace.start();
  const { entities } = namespace.broker;
  for (const name of ['q', 'batch', 'empty', 'gone', 'locks', 'deep/queue']) entities.createQueue(name);
  entities.createQueue('sessions', { requiresSession: true });
  entities.createTopic('t');
  entities.createSubscription('t', 's');
});
afterAll(() => namespace.close());

const send = (path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
  namespace.ask('POST', `${path}/messages`, { body, headers });
const take = (path: string, query = 'timeout=0') => namespace.ask('DELETE', `${path}/messages/head?${query}`);
const peekLock = (path: string, query = 'timeout=0') => namespace.ask('POST', `${path}/messages/head?${query}`);
const properties = (answer: Answer) => JSON.parse(String(answer.headers.brokerproperties)) as Record<string, unknown>;
const pathOf = (answer: Answer) => new URL(answer.headers.location!).pathname;

describe('messages over HTTP', () => {
  it('are sent with all that belongs to them, and received and deleted', async () => {
    const sent = await send('q', Buffer.from([0, 255, 10, 200]), {
      'Content-Type': 'application/octet-stream',
      BrokerProperties: JSON.stringify({
        MessageId: 'm1',
        Label: 'gr\\u00fcn',
        CorrelationId: 'c',
        ReplyTo: 'r',
        To: 't',
        TimeToLive: 90,
        PartitionKey: 'p',
      }).replaceAll('\\\\', '\\'),
      Priority: '"High"',
      Count: '42',
      Ratio: '0.5',
      Fast: 'true',
      When: '"Sun, 06 Nov 1994 08:49:37 GMT"',
    });
    expect(sent.status).toBe(201);
    expect(sent.headers['content-type']).toBe('application/octet-stream');
    expect(sent.body).toBe('');
    const [stored] = namespace.broker.source('q').peek(0, 1);
    expect(stored?.content.applicationProperties).toEqual(
      new Map<string, unknown>([
        ['Priority', 'High'],
        ['Count', 42n],
        ['Ratio', 0.5],
        ['Fast', true],
        ['When', new Date('1994-11-06T08:49:37Z')],
      ]),
    );
    const received = await take('q');
    expect(received.status).toBe(200);
    expect(received.headers['content-type']).toBe('application/octet-stream');
    expect(received.headers.location).toBeUndefined();
    expect(received.rawHeaders).toEqual(expect.arrayContaining(['Priority', '"High"', 'Count', '42', 'Fast', 'true']));
    expect(received.headers.when).toBe('"Sun, 06 Nov 1994 08:49:37 GMT"');
    expect(properties(received)).toEqual({
      MessageId: 'm1',
      Label: 'grün',
      CorrelationId: 'c',
      ReplyTo: 'r',
      To: 't',
      TimeToLive: 90,
      PartitionKey: 'p',
      State: 'Active',
      DeliveryCount: 1,
      SequenceNumber: stored!.sequenceNumber,
      EnqueuedSequenceNumber: stored!.enqueuedSequenceNumber,
      EnqueuedTimeUtc: new Date(stored!.enqueuedAtMs).toUTCString(),
    });
    expect((await take('q')).status).toBe(204);
  });

  it('have no headers but theirs and those of the service: older clients take others for properties', async () => {
    await send('q', 'x', { Quote: '"say "hi""' });
    const { rawHeaders, headers } = await peekLock('q');
    expect(headers.quote).toBe('"say "hi""');
    const names = rawHeaders.filter((_, index) => index % 2 === 0);
    expect(names.sort()).toEqual(
      ['BrokerProperties', 'Content-Type', 'Date', 'Location', 'Quote', 'Server', 'Transfer-Encoding'].sort(),
    );
    namespace.broker.entities.deleteQueue('q');
    namespace.broker.entities.createQueue('q');
  });

  it('get an id when they come without one', async () => {
    await send('q', 'x');
    const { MessageId, TimeToLive } = properties(await take('q'));
    expect(MessageId).toMatch(/^[0-9a-f]{32}$/);
    expect(TimeToLive).toBeCloseTo(922_337_203_685.4775, 3);
  });

  it('are locked, renewed, unlocked and completed by the location that came with them', async () => {
    await send('locks', 'body');
    const first = await peekLock('locks');
    expect(first.status).toBe(201);
    expect(first.body).toBe('body');
    const { LockToken, SequenceNumber, LockedUntilUtc } = properties(first);
    expect(first.headers.location).toBe(`http://${namespace.host}/locks/messages/${SequenceNumber}/${LockToken}`);
    expect(Date.parse(String(LockedUntilUtc))).toBeGreaterThan(Date.now());
    expect((await peekLock('locks')).status).toBe(204);
    expect((await namespace.ask('POST', pathOf(first))).status).toBe(200);
    expect((await namespace.ask('PUT', pathOf(first))).status).toBe(200);
    const gone = await namespace.ask('DELETE', pathOf(first));
    expect(gone.status).toBe(404);
    expect(gone.body).toContain('No message was found with the specified MessageId or LockToken');
    const second = await peekLock('locks');
    expect(properties(second).DeliveryCount).toBe(2);
    expect((await namespace.ask('DELETE', pathOf(second))).status).toBe(200);
    expect(namespace.broker.entities.queue('locks')?.counts.active).toBe(0);
    for (const method of ['DELETE', 'PUT', 'POST'])
      expect((await namespace.ask(method, pathOf(second))).status).toBe(404);
  });

  it('reach subscriptions, and come back from the dead-letter queue', async () => {
    await send('t', 'copy', { 'Content-Type': 'text/plain' });
    const copy = await peekLock('t/subscriptions/s');
    expect(copy.body).toBe('copy');
    expect(pathOf(copy)).toMatch(/^\/t\/Subscriptions\/s\/messages\//);
    namespace.broker
      .source('t/Subscriptions/s')
      .settle(String(properties(copy).LockToken), { kind: 'dead-letter', reason: 'because' });
    const dead = await take('t/Subscriptions/s/$DeadLetterQueue');
    expect(dead.body).toBe('copy');
    expect(dead.headers.deadletterreason).toBe('"because"');
  });

  it('come in batches, all or none', async () => {
    const type = { 'Content-Type': 'application/vnd.microsoft.servicebus.json' };
    const batch = [
      { Body: 'one', BrokerProperties: { Label: 'M1', TimeToLiveTimeSpan: '0.00:00:40' } },
      { Body: 'two', UserProperties: { Priority: 'High', Count: 3, Ratio: 1.5, Yes: true } },
      { Body: Buffer.from('three').toString('base64'), IsBodyBase64: true },
    ];
    expect((await send('batch', JSON.stringify(batch), type)).status).toBe(201);
    const received = [await take('batch'), await take('batch'), await take('batch')];
    expect(received.map(({ body }) => body)).toEqual(['one', 'two', 'three']);
    expect(properties(received[0]!)).toMatchObject({ Label: 'M1', TimeToLive: 40 });
    expect(received[1]!.headers).toMatchObject({ priority: '"High"', count: '3', ratio: '1.5', yes: 'true' });
    for (const bad of [
      '',
      '{}',
      '[]',
      '[1]',
      '[{}]',
      '[{"Body":1}]',
      '[{"Body":"ok"},{"Body":"x","UserProperties":{"a":{}}}]',
      '[{"Body":"x","BrokerProperties":[]}]',
      '[{"Body":"x","IsBodyBase64":"yes"}]',
    ]) {
      expect((await send('batch', bad, type)).status).toBe(400);
    }
    expect((await take('batch')).status).toBe(204);
  });

  it('with parameters to the type of a batch are single messages', async () => {
    await send('batch', '[]', { 'Content-Type': 'application/vnd.microsoft.servicebus.json;charset=utf-8' });
    expect((await take('batch')).body).toBe('[]');
  });

  it('are waited for', async () => {
    const waiting = take('deep/queue', 'timeout=50');
    await new Promise((resolve) => setImmediate(resolve));
    await send('deep/queue', 'late');
    expect(await waiting).toMatchObject({ status: 200, body: 'late' });
  });

  it('are waited for no longer than was said, which costs an operation', async () => {
    const startedAt = performance.now();
    expect((await peekLock('empty', 'timeout=1')).status).toBe(204);
    expect(performance.now() - startedAt).toBeGreaterThan(950);
    expect((await take('empty')).status).toBe(204);
    expect(namespace.broker.billing.byEntity().get('empty')?.get('empty-receive')).toBe(2);
    for (const timeout of ['-1', 'soon', '1.5']) expect((await take('empty', `timeout=${timeout}`)).status).toBe(400);
  });

  it('are not taken by a client that went away', async () => {
    const leaving = new AbortController();
    const left = namespace
      .ask('DELETE', 'gone/messages/head?timeout=50', { signal: leaving.signal })
      .catch(() => 'left');
    const held = namespace.ask('POST', 'gone/messages/head?timeout=50', { signal: leaving.signal }).catch(() => 'left');
    // Both wait when a third, which came after them, has its answer.
    await namespace.ask('GET', 'gone');
    leaving.abort();
    expect([await left, await held]).toEqual(['left', 'left']);
    await namespace.ask('GET', 'gone');
    await send('gone', 'kept');
    expect((await take('gone', 'timeout=5')).body).toBe('kept');
  });

  it('end with 410 where the queue is deleted while somebody waits', async () => {
    namespace.broker.entities.createQueue('short');
    const waiting = take('short', 'timeout=50');
    await namespace.ask('GET', 'short');
    namespace.broker.entities.deleteQueue('short');
    expect((await waiting).status).toBe(410);
    const after = await take('short');
    expect(after.status).toBe(404);
    expect(after.body).toContain(`40400: Endpoint not found., Resource:sb://${namespace.host}/short`);
    expect((await send('short', 'x')).status).toBe(404);
  });

  it('are refused where they cannot be', async () => {
    expect((await take('sessions')).status).toBe(400);
    expect((await send('sessions', 'x')).status).toBe(400);
    expect((await send('sessions', 'x', { BrokerProperties: '{"SessionId":"a"}' })).status).toBe(201);
    expect((await take('t')).status).toBeGreaterThanOrEqual(400);
    expect((await send('q', 'x', { BrokerProperties: 'not json' })).status).toBe(400);
    expect((await send('q', 'x', { BrokerProperties: '{"TimeToLive":"x"}' })).status).toBe(400);
    const { maxMessageBytes } = namespace.broker.target('q');
    const large = await send('q', Buffer.alloc(maxMessageBytes + 1));
    expect(large.status).toBe(403);
    // Its properties count, too.
    expect((await send('q', Buffer.alloc(maxMessageBytes))).status).toBe(403);
    expect((await send('q', Buffer.alloc(maxMessageBytes - 1_000))).status).toBe(201);
    expect((await take('q')).body.length).toBe(maxMessageBytes - 1_000);
    namespace.broker.entities.createQueue('disabled', { status: 'Disabled' });
    for (const answer of [await send('disabled', 'x'), await take('disabled')]) expect(answer.status).toBe(400);
    expect((await namespace.ask('GET', 'q/messages/head')).status).toBe(200);
  });

  it('wait for their time', async () => {
    const at = new Date(Date.now() + 3_600_000).toUTCString();
    await send('q', 'later', { BrokerProperties: JSON.stringify({ ScheduledEnqueueTimeUtc: at }) });
    expect((await take('q')).status).toBe(204);
    expect(namespace.broker.entities.queue('q')?.counts.scheduled).toBe(1);
  });

  it('tell when they were meant to come', async () => {
    const past = new Date(Date.now() - 5_000).toUTCString();
    await send('deep/queue', 'due', { BrokerProperties: JSON.stringify({ ScheduledEnqueueTimeUtc: past }) });
    expect(properties(await take('deep/queue')).ScheduledEnqueueTimeUtc).toBe(past);
  });

  it('cost an operation for each 64 KB begun', async () => {
    namespace.broker.entities.createQueue('billed');
    await send('billed', Buffer.alloc(100_000));
    await take('billed');
    const billed = namespace.broker.billing.byEntity().get('billed');
    expect([billed?.get('send'), billed?.get('receive'), billed?.get('empty-receive')]).toEqual([2, 2, undefined]);
  });
});
