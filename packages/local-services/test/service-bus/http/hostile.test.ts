import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpNamespace } from './namespace.ts';

let namespace: HttpNamespace;
const loose: unknown[] = [];
const note = (error: unknown) => loose.push(error);

beforeAll(async () => {
  namespace = await HttpNamespace.start();
  namespace.broker.entities.createQueue('q');
  namespace.broker.entities.createQueue('prey');
  namespace.broker.entities.createTopic('t');
  namespace.broker.entities.createSubscription('t', 's');
  process.on('uncaughtExceptionMonitor', note);
  process.on('warning', note);
});
afterAll(async () => {
  process.off('uncaughtExceptionMonitor', note);
  process.off('warning', note);
  await namespace.close();
  expect(loose).toEqual([]);
});

/** Sends bytes as they are. @returns what came back until the connection ended */
async function raw(bytes: string | Buffer): Promise<string> {
  const socket = connect(namespace.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.end(bytes);
  return (await buffer(socket).catch(() => Buffer.alloc(0))).toString('latin1');
}

const head = (line: string, headers: readonly string[] = []): string =>
  [
    line,
    `Host: ${namespace.host}`,
    `Authorization: ${namespace.token()}`,
    ...headers,
    'Connection: close',
    '',
    '',
  ].join('\r\n');

describe('HTTP from the hostile', () => {
  it('always gets an answer that gives nothing away', async () => {
    const method = fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'PATCH');
    const piece = fc.oneof(
      fc.constantFrom(
        'prey',
        'prey-topic',
        'Subscriptions',
        's',
        'Rules',
        'messages',
        'head',
        '$Resources',
        'Queues',
        '..',
        '.',
        '%2F',
        '%00',
        '%',
        '$DeadLetterQueue',
        '__proto__',
        'constructor',
        '',
      ),
      fc.webSegment(),
    );
    const query = fc.constantFrom(
      '',
      '?timeout=0',
      '?timeout=0&api-version=1',
      '?$skip=99999999999',
      '?$top=%',
      '?api-version=2021-05&api-version=x',
    );
    const body = fc.oneof(
      fc.constantFrom('', '<', '{}', '<entry xmlns="http://www.w3.org/2005/Atom"><content/></entry>'),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(method, fc.array(piece, { maxLength: 7 }), query, body, async (verb, pieces, asked, sent) => {
        const path = `/${pieces.join('/')}${asked === '' ? '?timeout=0' : asked.includes('timeout') ? asked : `${asked}&timeout=0`}`;
        const answer = await namespace.ask(verb, path, { body: Buffer.from(sent) });
        expect(answer.status).toBeGreaterThanOrEqual(200);
        expect(answer.status).toBeLessThan(500);
        expect(answer.body).not.toMatch(/\bat .*\.ts|node:internal|root key/);
      }),
      { numRuns: 300 },
    );
    expect((await namespace.ask('GET', 'q')).status).toBeLessThan(500);
  });

  it('does not disturb others when it breaks off in mid-request', async () => {
    const large = 1_000_000;
    for (const start of [
      `${head('PUT /x HTTP/1.1', [`Content-Length: ${large}`])}<entry`,
      `${head('POST /q/messages HTTP/1.1', [`Content-Length: ${large}`])}abc`,
      `${head('POST /q/messages HTTP/1.1', ['Transfer-Encoding: chunked'])}5\r\nabc`,
      head('POST /q/messages/head?timeout=50 HTTP/1.1'),
      'GET /q HTTP/1.1\r\nHost: local',
    ]) {
      await raw(start);
    }
    expect(namespace.broker.entities.queue('x')).toBeUndefined();
    expect((await namespace.ask('POST', 'q/messages', { body: 'fine' })).status).toBe(201);
    expect((await namespace.ask('DELETE', 'q/messages/head?timeout=5')).body).toBe('fine');
  });

  it('cannot smuggle a second request in what was not read', async () => {
    const inner = head('DELETE /q HTTP/1.1');
    const answer = await raw(
      head('PATCH /q HTTP/1.1', [`Content-Length: ${inner.length}`]).replace(
        'Connection: close',
        'Connection: keep-alive',
      ) + inner,
    );
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(namespace.broker.entities.queue('q')).toBeDefined();
  });

  it('gives back what was locked for a client that is gone', async () => {
    const socket = connect(namespace.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(head('POST /q/messages/head?timeout=50 HTTP/1.1'));
    await namespace.ask('GET', 'q');
    // The message arrives in the same turn in which the connection ends.
    socket.resetAndDestroy();
    await namespace.ask('POST', 'q/messages', { body: 'kept' });
    const next = await namespace.ask('DELETE', 'q/messages/head?timeout=5');
    expect(next.body).toBe('kept');
  });

  it('may be as old as HTTP/1.0', async () => {
    const answer = await raw(head('GET /q HTTP/1.0'));
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).not.toMatch(/chunked/i);
    expect(answer.split('\r\n\r\n')[1]).toMatch(/^<entry .*<\/entry>$/s);
  });

  it('may wait by the hundred', async () => {
    const { port } = namespace;
    const sockets = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write(head('DELETE /t/Subscriptions/s/messages/head?timeout=50 HTTP/1.1'));
        return socket;
      }),
    );
    await namespace.ask('GET', 't');
    await Promise.all(
      Array.from({ length: 300 }, (_, index) => namespace.ask('POST', 't/messages', { body: `${index}` })),
    );
    const bodies = await Promise.all(
      sockets.map(async (socket) => (await buffer(socket)).toString().split('\r\n\r\n')[1]),
    );
    expect(new Set(bodies).size).toBe(300);
  });
});
