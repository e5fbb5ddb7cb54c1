import type { ConformanceTarget, Harness, Remote } from '@polycast/conformance';
import { PolycastError } from '@polycast/core/adapter';
import type { RedisServer } from '@polycast/local-services';
import { Admin } from './conformance/admin.ts';
import { Pair } from './conformance/pair.ts';
import { Participants } from './conformance/participants.ts';
import { readUrl } from './from-url.ts';
import { DEFAULT_HOST, DEFAULT_PORT, type RedisStreamsOptions } from './options.ts';
import { settingsFrom } from './settings.ts';

/** A server beside us answers at once: its silence is told of sooner, and claiming costs nothing. The URL's parameters win. */
const PUB_SUB_DEFAULTS: Partial<RedisStreamsOptions> = { pingIntervalMs: 1_000 };
const LOCAL_DEFAULTS: Partial<RedisStreamsOptions> = { ...PUB_SUB_DEFAULTS, claimIntervalMs: 100 };
const PROBE_TOPIC = 'polycast-probe';

/**
 * All that the conformance suite needs, of pub/sub and of Streams. `local` starts a `redis-server` with `@polycast/local-services`.
 * A server that is not ours is written to within the topics of the run only, and keeps nothing of them.
 * @throws PolycastError `invalid-configuration` and what opening a transport throws. @throws Error if no server can be started
 */
export const harness: Harness = async ({ url, local = false }) => (local ? ours(url) : theirs(url));

/** On a server of our own everything may be broken. */
async function ours(url: URL): Promise<ConformanceTarget> {
  const { streams, options: read } = readUrl(url);
  if (url.protocol.startsWith('rediss') || read.cluster !== undefined || read.sentinels !== undefined) {
    throw new PolycastError(
      'invalid-configuration',
      'a local run uses one server without TLS: omit rediss:, cluster and sentinels',
    );
  }
  const pair = await Pair.of(startServer);
  const at = new URL(`${url.protocol}//127.0.0.1:${pair.primary.port}${url.search}`);
  const ownDefaults = streams ? LOCAL_DEFAULTS : PUB_SUB_DEFAULTS;
  const options = { ...ownDefaults, ...read };
  const admin = new Admin(settingsFrom({ ...options, url: at }), streams);
  const participants = new Participants(at, { streams, options });
  /** Our own connection must not be broken: it would look like one that a case left behind. */
  const rested = (deed: () => Promise<void>) => async () => {
    await admin.rest();
    await deed();
  };
  return {
    ...base(participants, admin, at),
    faults: {
      restart: rested(() => pair.primary.restart()),
      kill: rested(() => pair.primary.kill()),
      start: rested(() => pair.primary.start()),
      freeze: () => pair.primary.freeze(),
      thaw: () => pair.primary.thaw(),
      cut: () => admin.cutAll(),
      demote: async () => {
        const now = await pair.demote();
        await admin.moveTo(now.port);
        return now;
      },
      abandon: (transport) => participants.abandon(transport),
      ...admin.disturbances(streams),
    },
    remote: remoteOf(at, ownDefaults),
    residue: (topic) => admin.residue(topic),
    dispose: async () => {
      await admin.rest();
      await pair.stop();
    },
  };
}

/** On a server of others only our own connections may be broken. */
async function theirs(url: URL): Promise<ConformanceTarget> {
  const reading = readUrl(url);
  const admin = new Admin(settingsFrom({ ...reading.options, url }), reading.streams);
  const participants = new Participants(url, reading);
  // Better one error that says why than hundreds of failed cases.
  await admin.ready();
  const refused = await admin.residue(PROBE_TOPIC).then(
    () => undefined,
    (error: Error) => `the server refuses inspection: ${error.message}`,
  );
  return {
    ...base(participants, admin, url),
    remote: remoteOf(url, {}),
    faults: {
      cut: () => participants.cut(),
      abandon: (transport) => participants.abandon(transport),
    },
    ...(refused === undefined
      ? { residue: (topic) => admin.residue(topic) }
      : { withoutFaults: { ...withoutFaults, residue: refused } }),
    dispose: async () => {
      // Who may not look may not find either; what is left goes when it is too old to be kept.
      await admin.remove(participants.topics).catch(() => {});
      await admin.rest();
    },
  };
}

const withoutFaults = { throttle: 'Redis names no time to wait' };

function base(participants: Participants, admin: Admin, url: URL): ConformanceTarget {
  return {
    withoutFaults,
    name: participants.make().manifest.transport,
    url: url.href,
    transport: () => participants.make(),
    inject: (topic, bytes) => admin.inject(topic, bytes),
    forget: (topic) => admin.remove(new Set([topic])),
  };
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

async function startServer(): Promise<RedisServer> {
  let services: typeof import('@polycast/local-services');
  try {
    services = await import('@polycast/local-services');
  } catch (cause) {
    throw new PolycastError('invalid-configuration', 'a local run needs the package @polycast/local-services', {
      cause,
    });
  }
  // A replica need not wait for others that may come.
  return services.startRedis({ persistent: true, args: ['--repl-diskless-sync-delay', '0'] });
}
