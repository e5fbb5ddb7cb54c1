import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpNamespace } from './namespace.ts';

const SB = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const atom = (description: string): string =>
  `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${description}</content></entry>`;
const metadata = (text: string): string =>
  atom(`<QueueDescription xmlns="${SB}"><UserMetadata>${text}</UserMetadata></QueueDescription>`);

/** None of them may keep the service busy, or end it. */
const documents: Readonly<Record<string, string | Buffer>> = {
  'entities that multiply': `<!DOCTYPE e [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${metadata('&b;')}`,
  'entities that nobody declared': metadata('&x;'.repeat(80_000)),
  'nested thousands deep': '<a>'.repeat(80_000),
  'ends without beginnings': '</a>'.repeat(60_000),
  'nothing but beginnings of tags': '<'.repeat(260_000),
  'a tag without end': `<a b="${'x'.repeat(260_000)}`,
  'attributes without value': metadata(`<a ${'b '.repeat(100_000)}/>`),
  'quotes without end': `<a ${"'".repeat(260_000)}`,
  'comments without number': metadata('<!---->'.repeat(30_000)),
  'sections without number': metadata('<![CDATA[]]>'.repeat(20_000)),
  'instructions without number': metadata('<?a?>'.repeat(50_000)),
  'characters by number': metadata('&#65;'.repeat(50_000)),
  'a character that there is not': metadata('&#x110000;'),
  'half a character': metadata('&#xD800;'),
  'a zero': metadata('\0'),
  'bytes that are not UTF-8': Buffer.concat([Buffer.from(metadata('x')), Buffer.from([0xff])]),
  'UTF-16 without a mark': Buffer.from(metadata('x'), 'utf16le'),
  'half of UTF-16': Buffer.from(`\ufeff${metadata('x')}`, 'utf16le').subarray(0, -1),
  'another encoding, as it says': Buffer.from(`<?xml version="1.0" encoding="iso-8859-1"?>${metadata('ä')}`, 'latin1'),
  'compressed bytes': Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0]),
  'more than a description may have': metadata('x'.repeat(3_000_000)),
};

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

  it('may send many requests at once, which are done and answered in order', async () => {
    const description = `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml"><QueueDescription xmlns="${SB}"/></content></entry>`;
    const open = (line: string, body = '') =>
      head(line, [`Content-Length: ${body.length}`]).replace('Connection: close\r\n', '') + body;
    const round = [
      open('PUT /piped HTTP/1.1', description),
      open('GET /piped HTTP/1.1'),
      open('DELETE /piped HTTP/1.1'),
      open('DELETE /piped HTTP/1.1'),
    ];
    const answer = await raw(`${round.join('').repeat(25)}${head('GET /q HTTP/1.1')}`);
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => Number(status));
    expect(statuses).toEqual([...Array(25).fill([201, 200, 200, 404]).flat(), 200]);
  });

  it('is cut off when it sends requests without end and never waits for an answer', async () => {
    const socket = connect(namespace.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    const wait = head('DELETE /prey/messages/head?timeout=50 HTTP/1.1').replace('Connection: close\r\n', '');
    // Not events.once: that one fails when the connection is reset.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    while (!socket.destroyed) {
      socket.write(wait.repeat(50));
      await new Promise(setImmediate);
    }
    await closed;
    expect((await namespace.ask('GET', 'prey')).status).toBe(200);
  });

  it.each(['CONNECT localhost:1', 'TRACE /q', 'OPTIONS *', 'BREW /q'])('is told that there is no %s', async (line) => {
    expect(await raw(head(`${line} HTTP/1.1`))).toMatch(/^HTTP\/1\.1 40[05] /);
  });

  it.each(Object.entries(documents))('is answered whatever its document is: %s', async (_what, body) => {
    const answer = await namespace.ask('PUT', 'bad', { body });
    expect(answer.body).toMatch(/^<Error><Code>(400|413)<\/Code>/);
    expect(String(answer.status)).toBe(/\d+/.exec(answer.body)![0]);
    expect(namespace.broker.entities.queue('bad')).toBeUndefined();
  });

  it('is answered whatever of a document is changed', async () => {
    const fixtures = ['queue-dotnet', 'queue-python', 'subscription-go', 'rule-dotnet'].map((name) =>
      readFileSync(new URL(`./fixtures/${name}.xml`, import.meta.url)),
    );
    const piece = fc.constantFrom(
      '<',
      '>',
      '/>',
      '"',
      '&',
      '&#0;',
      'xmlns=""',
      ' ',
      'P1D',
      '-1',
      '9'.repeat(40),
      '<!--',
      ']]>',
      '\0',
      'é',
    );
    const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), remove: fc.nat(40), insert: piece });
    const path = fc.constantFrom('mutant', 't/Subscriptions/mutant', 't/Subscriptions/s/Rules/mutant');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...fixtures),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        path,
        async (from, changes, to) => {
          let body = from;
          for (const { at, remove, insert } of changes) {
            const index = Math.floor(at * body.length);
            body = Buffer.concat([body.subarray(0, index), Buffer.from(insert), body.subarray(index + remove)]);
          }
          const answer = await namespace.ask('PUT', to, { body });
          expect([200, 201, 400, 404, 409]).toContain(answer.status);
        },
      ),
      { numRuns: 200 },
    );
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
