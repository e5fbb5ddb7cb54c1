import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { ConformanceTarget, Need } from '@polycast/conformance';
import { connect } from '@polycast/core';
import type { RedisServer } from '@polycast/local-services';
import { UsageError } from './exit-code.ts';
import { hideSecrets } from './output/secrets.ts';
import { transportFromUrl, transportMaker } from './transports.ts';

/** What no run may do to a server that others use, and how to have it tried all the same. */
const HANDS_OFF = 'this server is not ours to disturb; `polycast conform --local` starts one that is';
const PROBE_TOPIC = 'polycast-probe';
const FAULTS: readonly Need[] = ['restart', 'kill', 'freeze', 'cut'];

/**
 * What the conformance suite runs against.
 * @throws PolycastError `unreachable`, `unauthorized`, … when the service cannot be used
 * @param options.startServer start a server for the run, which may then be disturbed; else the URL's server is used and spared
 */
export async function makeTarget(url: string, { startServer }: { startServer: boolean }): Promise<ConformanceTarget> {
  if (startServer) return localTarget(url);
  const first = await transportFromUrl(url);
  // Better one error that says why than hundreds of failed cases.
  await (await connect({ transport: first, topic: PROBE_TOPIC })).close();
  const make = await transportMaker(url);
  return {
    name: first.manifest.transport,
    url: hideSecrets(url),
    transport: make,
    withoutFaults: Object.fromEntries(FAULTS.map((need) => [need, HANDS_OFF])),
  };
}

async function localTarget(url: string): Promise<ConformanceTarget> {
  const scheme = url.slice(0, url.indexOf(':'));
  if (scheme === 'memory') throw new UsageError('--local starts a server; memory: needs none');
  if (!scheme.startsWith('redis'))
    throw new UsageError(`--local can start a server for redis: and redis+streams:, not for ${scheme}:`);
  const { startRedis } = await import('@polycast/local-services');
  const server = await startRedis({ persistent: true });
  const local = localUrl(scheme, server.url);
  return {
    name: scheme,
    url: local,
    transport: await transportMaker(local),
    faults: redisFaults(server),
    dispose: () => server.stop(),
  };
}

/** `redis+streams` at `redis://127.0.0.1:4000`: `redis+streams://127.0.0.1:4000`. */
export function localUrl(scheme: string, serverUrl: string): string {
  return serverUrl.replace(/^[^:]+/, scheme);
}

function redisFaults(server: RedisServer): NonNullable<ConformanceTarget['faults']> {
  return {
    restart: () => server.restart(),
    kill: () => server.kill(),
    start: () => server.restart(),
    freeze: async () => server.freeze(),
    thaw: async () => server.thaw(),
    cut: () => cutConnections(server),
  };
}

/** Has the server end every connection but the one that asks for it. */
async function cutConnections({ port }: RedisServer): Promise<void> {
  const socket = createConnection({ host: '127.0.0.1', port });
  socket.end('CLIENT KILL TYPE pubsub\r\nCLIENT KILL TYPE normal SKIPME yes\r\n');
  // It answers both before it closes.
  socket.resume();
  await once(socket, 'close');
}
