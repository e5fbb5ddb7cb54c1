import type { ConformanceTarget, Harness, Remote } from '@polycast/conformance';
import { buildTarget, localServices } from '@polycast/conformance/harness';
import { PolycastError } from '@polycast/core/adapter';
import { Admin } from './conformance/admin.ts';
import { Pair } from './conformance/pair.ts';
import { makeTransport, readUrl } from './from-url.ts';
import { DEFAULT_HOST, DEFAULT_PORT, type RedisStreamsOptions } from './options.ts';
import { settingsFrom } from './settings.ts';

/** A server beside us answers at once: its silence is told of sooner, and claiming costs nothing. The URL's parameters win. */
const PUB_SUB_DEFAULTS: Partial<RedisStreamsOptions> = { pingIntervalMs: 1_000 };
const LOCAL_DEFAULTS: Partial<RedisStreamsOptions> = { ...PUB_SUB_DEFAULTS, claimIntervalMs: 100 };

/**
 * All that the conformance suite needs, of pub/sub and of Streams. `local` starts a `redis-server` with `@polycast/local-services`.
 * A server that is not ours is written to within the topics of the run only, and keeps nothing of them.
 * @throws PolycastError `invalid-configuration` and what opening a transport throws. @throws Error if no server can be started
 */
export const harness: Harness = async ({ url, local = false }) => (local ? ours(url) : theirs(url));

const withoutFaults = { throttle: 'Redis names no time to wait' };

/** On a server of our own everything may be broken. */
async function ours(url: URL): Promise<ConformanceTarget> {
  const { streams, options: read } = readUrl(url);
  if (url.protocol.startsWith('rediss') || read.cluster !== undefined || read.sentinels !== undefined) {
    throw new PolycastError(
      'invalid-configuration',
      'a local run uses one server without TLS: omit rediss:, cluster and sentinels',
    );
  }
  const { startRedis } = await localServices(() => import('@polycast/local-services'));
  // A replica need not wait for others that may come.
  const service = await Pair.of(() => startRedis({ persistent: true, args: ['--repl-diskless-sync-delay', '0'] }));
  const at = new URL(`${url.protocol}//127.0.0.1:${service.port}${url.search}`);
  const ownDefaults = streams ? LOCAL_DEFAULTS : PUB_SUB_DEFAULTS;
  const options = { ...ownDefaults, ...read };
  const access = new Admin(settingsFrom({ ...options, url: at }), streams);
  return buildTarget({
    url: at.href,
    transport: () => makeTransport(at, { streams, options }),
    access,
    service,
    faults: {
      // Our own connection stays: another server may be about to take over.
      freeze: () => service.freeze(),
      thaw: () => service.thaw(),
      demote: async () => {
        const now = await service.demote();
        await access.moveTo(now.port);
        return now;
      },
      ...access.disturbances(streams),
    },
    withoutFaults,
    remote: remoteOf(at, ownDefaults),
  });
}

/** On a server of others only our own connections may be broken. */
async function theirs(url: URL): Promise<ConformanceTarget> {
  const { streams, options } = readUrl(url);
  return buildTarget({
    url: url.href,
    transport: () => makeTransport(url, { streams, options }),
    access: new Admin(settingsFrom({ ...options, url }), streams),
    withoutFaults,
    remote: remoteOf(url, {}),
  });
}

/** How participants in processes of their own get to the server. */
function remoteOf(url: URL, defaults: Partial<RedisStreamsOptions>): Remote {
  const at = new URL(url);
  for (const [name, value] of Object.entries(defaults)) {
    if (!at.searchParams.has(name)) at.searchParams.set(name, String(value));
  }
  // TLS names the host, and cluster and Sentinel name further servers: no detour leads there.
  const isDirect = at.protocol.startsWith('redis:') || at.protocol.startsWith('redis+');
  const isOne = !at.searchParams.has('cluster') && !at.searchParams.has('sentinels');
  return {
    module: new URL('./index.js', import.meta.url).href,
    ...(isDirect && isOne && { address: { host: at.hostname || DEFAULT_HOST, port: Number(at.port) || DEFAULT_PORT } }),
    urlAt(port) {
      if (port === undefined) return at.href;
      const [, user = ''] = /\/\/([^/@]*@)?/.exec(at.href) ?? [];
      return `${at.protocol}//${user}127.0.0.1:${port}${at.pathname}${at.search}`;
    },
  };
}
