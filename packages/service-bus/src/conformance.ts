import type { ConformanceTarget, Harness } from '@polycast/conformance';
import { buildTarget, localServices } from '@polycast/conformance/harness';
import type { ServiceBus } from '@polycast/local-services/service-bus';
import { serviceBus } from './adapter.ts';
import { Admin } from './conformance/admin.ts';
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
  const { startServiceBus } = await localServices(() => import('@polycast/local-services/service-bus'));
  const service = await startServiceBus();
  const { connectionString } = service;
  const options = { ...LOCAL_DEFAULTS, ...read, connectionString };
  return buildTarget({
    url: service.url,
    transport: () => serviceBus(options),
    access: new Admin(settingsFrom(options)),
    service,
    faults: {
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
      urlAt: (port = service.port) =>
        `service-bus:${connectionString.replace(`:${service.port}`, `:${port}`)}?${parametersOf(options)}`,
    },
  });
}

/** A namespace of others is only used, and only our own connections may be broken. */
async function theirs(url: URL): Promise<ConformanceTarget> {
  const options = readUrl(url);
  const spared = 'the namespace was not started by the run';
  return buildTarget({
    url: url.href,
    transport: () => serviceBus(options),
    access: new Admin(settingsFrom(options)),
    withoutFaults: { restart: spared, kill: spared, freeze: spared, throttle: spared },
    remote: { ...remote, urlAt: () => url.href },
  });
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
