import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PolycastError } from '@polycast/core';
import { SERVICES } from './offers.ts';
import { page, SECURITY_HEADERS } from './page.ts';
import { readSearch, type Search } from './search.ts';
import { isProgress, oneOf, TRIP_ASKED, type Travel } from './travel.ts';

/** How long the aggregator may take, after the deadline, to say what is missing. */
const GRACE_MS = 1_000;
/** Most searches under way at once; one more is answered with 503. */
const MAX_SEARCHES = 200;

export interface WebOptions {
  /** 0: a free one. */
  readonly port: number;
  /** When a traveller is shown what there is, whatever is missing. */
  readonly deadlineMs: number;
}

export interface WebTier {
  readonly url: string;
  close(): Promise<void>;
}

/** The page, and `GET /search`: server-sent events `asked`, `part` (several), then `done` or `failed`. */
export async function startWeb(travel: Travel, options: WebOptions): Promise<WebTier> {
  let underWay = 0;
  const server = createServer((request, response) => {
    // Not by URL, which refuses some of what a stranger may send.
    const [path, query] = (request.url ?? '/').split('?', 2);
    if (request.method !== 'GET') refuse(response, 405, 'unsupported', 'GET only');
    else if (path === '/') response.writeHead(200, { ...SECURITY_HEADERS, ...HTML }).end(page);
    else if (path !== '/search') refuse(response, 404, 'not-found', 'not found; available: / and /search');
    else if (underWay >= MAX_SEARCHES)
      refuse(response, 503, 'overloaded', `${MAX_SEARCHES} searches are already running`);
    else {
      underWay++;
      respond(new URLSearchParams(query), response).finally(() => underWay--);
    }
  });

  async function respond(query: URLSearchParams, response: ServerResponse): Promise<void> {
    let search: Search;
    try {
      search = readSearch(query);
    } catch (thrown) {
      const { code, message } = PolycastError.from(thrown);
      return refuse(response, 400, code, message);
    }
    await stream(travel, search, response, options.deadlineMs);
  }

  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Browsers keep connections open, and a search under way has nobody to stream to any more.
        server.closeAllConnections();
      }),
  };
}

/** Asks one aggregator, and hands on what it replies as it comes. */
async function stream(travel: Travel, search: Search, response: ServerResponse, deadlineMs: number): Promise<void> {
  const startedAtMs = performance.now();
  const afterMs = () => Math.round(performance.now() - startedAtMs);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const say = (event: string, data: object) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

  response.writeHead(200, { ...SECURITY_HEADERS, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  say('asked', { web: travel.self.instance, services: SERVICES, deadlineMs });
  try {
    const to = await oneOf(travel, 'aggregator');
    const timeoutMs = deadlineMs + GRACE_MS;
    for await (const { data, from } of travel.request(
      { type: TRIP_ASKED, data: search },
      { to, ttlMs: deadlineMs, timeoutMs, abortSignal: gone.signal },
    )) {
      if (!isProgress(data)) continue;
      const { kind, ...rest } = data;
      say(kind, { ...rest, aggregator: from.instance, afterMs: afterMs() });
      if (kind === 'done') return;
    }
    say('failed', { code: 'timeout', message: 'no aggregator finished in time', afterMs: afterMs() });
  } catch (thrown) {
    const { code, message } = PolycastError.from(thrown);
    if (!gone.signal.aborted) say('failed', { code, message, afterMs: afterMs() });
  } finally {
    response.end();
  }
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const headers = { ...SECURITY_HEADERS, 'content-type': 'application/json; charset=utf-8' };
  response.writeHead(status, headers).end(JSON.stringify({ code, message }));
}

const HTML = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' };
