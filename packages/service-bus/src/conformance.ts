import type { ConformanceTarget, Harness } from '@polycast/conformance';
import { PolycastError } from '@polycast/core/adapter';
import type { ServiceBus } from '@polycast/local-services/service-bus';
import { Admin } from './conformance/admin.ts';
import { Participants } from './conformance/participants.ts';
import { readParameters, readUrl } from './from-url.ts';
import type { ServiceBusOptions } from './options.ts';
import { settingsFrom } from './settings.ts';

/** A service beside us answers at once: its silence is told of sooner. The URL's parameters win. */
const LOCAL_DEFAULTS: Partial<ServiceBusOptions> = {
  connectTimeoutMs: 20_000,
  // Long enough for a hundred subscriptions that are opened at once on a busy machine.
  operationTimeoutMs: 20_000,
  stalledAfterMs: 1_000,
  keepAliveMs: 5_000,
  closeTimeoutMs: 500,
};
const PROBE_TOPIC = 'polycast-probe';

/**
 * All that the conformance suite needs. `local` starts a Service Bus with `@polycast/local-services`; the URL is then
 * `service-bus:`, perhaps with parameters. A namespace that is not ours is written to within the topics of the run only, and
 * these are removed.
 * @throws PolycastError `invalid-configuration` and what opening a transport throws
 */
export const harness: Harness = async ({ url, local = false }) => (local ? ours(url) : theirs(url));

/** On a service of our own everything may be broken. */
async function ours(url: URL): Promise<ConformanceTarget> {
  const read = readParameters(url);
  const service = await startService();
  const options = { ...LOCAL_DEFAULTS, ...read, connectionString: service.connectionString };
  const admin = new Admin(settingsFrom(options));
  const participants = new Participants(options, {
    host: '127.0.0.1',
    port: service.port,
    optionsAt: (port) => ({
      ...options,
      connectionString: service.connectionString.replace(`:${service.port}`, `:${port}`),
    }),
  });
  /** Our own connection must not be broken: it would look like one that a case left behind. */
  const rested = (deed: () => void | Promise<void>) => async () => {
    await admin.rest();
    await deed();
  };
  return {
    ...base(participants, admin, service.url),
    faults: {
      restart: rested(() => service.restart()),
      kill: rested(() => service.kill()),
      start: rested(() => service.start()),
      freeze: rested(() => service.freeze()),
      thaw: rested(() => service.thaw()),
      cut: rested(() => service.cut()),
      abandon: (transport) => participants.abandon(transport),
      refuse: async () => refuseSends(service, REFUSED_SENDS),
      relent: async () => refuseSends(service, 0),
      throttle: async (leastMs) => {
        const seconds = Math.ceil(leastMs / 1_000);
        refuseSends(service, 1, seconds);
        return seconds * 1_000;
      },
    },
    remote: {
      ...remote,
      address: { host: '127.0.0.1', port: service.port },
      urlAt: (port) =>
        `service-bus:${service.connectionString.replace(`:${service.port}`, `:${port ?? service.port}`)}?${parametersOf(options)}`,
    },
    residue: (topic) => admin.residue(topic),
    dispose: async () => {
      await admin.rest();
      await participants.dispose();
      await service.stop();
    },
  };
}

/** A namespace of others is only used. */
async function theirs(url: URL): Promise<ConformanceTarget> {
  const options = readUrl(url);
  const admin = new Admin(settingsFrom(options));
  const participants = new Participants(options);
  // Better one error that says why than hundreds of failed cases.
  const probe = await participants.make().open({
    topic: PROBE_TOPIC,
    self: { role: 'probe', instance: 'probe' },
    signal: () => {},
    meter: () => {},
  });
  await probe.close();
  const refused = await admin.residue(PROBE_TOPIC).then(
    () => undefined,
    (error: Error) => `the namespace refuses inspection: ${error.message}`,
  );
  const spared = 'the namespace was not started by the run, and the SDK owns its connections';
  return {
    ...base(participants, admin, url.href),
    remote: { ...remote, urlAt: () => url.href },
    withoutFaults: {
      restart: spared,
      kill: spared,
      freeze: spared,
      cut: spared,
      throttle: spared,
      abandon: spared,
      ...(refused === undefined ? {} : { residue: refused }),
    },
    ...(refused === undefined ? { residue: (topic: string) => admin.residue(topic) } : {}),
    dispose: async () => {
      // Who may not manage leaves topics as they were.
      await admin.remove(participants.topics).catch(() => {});
      await admin.rest();
    },
  };
}

function base(participants: Participants, admin: Admin, url: string): ConformanceTarget {
  return {
    name: 'service-bus',
    url,
    transport: () => participants.make(),
    inject: (topic, bytes) => admin.inject(topic, bytes),
    forget: (topic) => admin.remove([topic, `${topic}.dead-letter`]),
  };
}

/** For participants in processes of their own. The shortest lock that the service takes. */
const remote = { module: new URL('./index.js', import.meta.url).href, lockMs: 5_000 };

/** Options that are numbers, as a URL has them. */
function parametersOf(options: Partial<ServiceBusOptions>): string {
  return Object.entries(options)
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** Sends that are refused once the service throttles: those under way at that moment, and not their retries for ever. */
const REFUSED_SENDS = 2;

function refuseSends({ broker }: ServiceBus, count: number, waitSeconds?: number): void {
  for (const { path } of broker.entities.topics()) broker.target(path).refuseSends(count, waitSeconds);
}

async function startService(): Promise<ServiceBus> {
  let services: typeof import('@polycast/local-services/service-bus');
  try {
    services = await import('@polycast/local-services/service-bus');
  } catch (cause) {
    throw new PolycastError('invalid-configuration', 'a local run needs the package @polycast/local-services', {
      cause,
    });
  }
  return services.startServiceBus();
}
