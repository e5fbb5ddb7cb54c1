import { PolycastError } from '@polycast/core';
import { type ServiceBus, startServiceBus } from '@polycast/local-services/service-bus';
import type { ServiceOptions } from './options.ts';
import type { EmulatedService, Emulation } from './service.ts';

/** Where AMQP clients look when a connection string names no port, as with the vendor's emulator. */
const DEFAULT_PORT = 5_672;
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_TIER = 'standard';

/** What node:net says of an address that cannot be listened on. */
const ADDRESS_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is already in use; choose another --port, or 0 for a free one',
  EACCES: 'needs more privileges to listen on; choose a --port above 1023',
  EADDRNOTAVAIL: 'is not an address of this machine; choose another --host',
  ENOTFOUND: 'cannot be resolved; choose another --host',
};

export default {
  summary: 'Azure Service Bus: AMQP, WebSockets, HTTP and administration on one port',
  options: ['port', 'host', 'tls', 'config', 'tier', 'key'],

  async start(options) {
    const service = await startOrExplain(options);
    try {
      return await describe(service, options);
    } catch (error) {
      await service.stop();
      throw error;
    }
  },
} satisfies EmulatedService;

async function startOrExplain(options: ServiceOptions): Promise<ServiceBus> {
  const { port = DEFAULT_PORT, host = DEFAULT_HOST, tier = DEFAULT_TIER, config, key } = options;
  try {
    return await startServiceBus({
      port,
      host,
      tier,
      ...(config !== undefined && { config }),
      ...(key !== undefined && { accessRules: key }),
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const fault = ADDRESS_FAULTS[code ?? ''];
    if (fault !== undefined) {
      throw new PolycastError('invalid-configuration', `${host}:${port} ${fault}`, { cause: error });
    }
    if (code === 'invalid-configuration') throw new PolycastError(code, message, { cause: error });
    throw error;
  }
}

async function describe(service: ServiceBus, options: ServiceOptions): Promise<Emulation> {
  const { port, connectionString, tlsConnectionString } = service;
  const { host = DEFAULT_HOST, tier = DEFAULT_TIER } = options;
  const caFile = await service.caFile();
  return {
    title: `Service Bus (${tier}) listens on ${host}:${port}`,
    facts: [
      ['connection string', connectionString],
      ['for connect', service.url],
      // Administration clients speak HTTPS, whatever the connection string says.
      ['for administration', `export NODE_EXTRA_CA_CERTS=${caFile} REQUESTS_CA_BUNDLE=${caFile}`],
      ...(options.tls ? ([['over TLS', tlsConnectionString]] as const) : []),
    ],
    details: {
      host,
      port,
      tier,
      url: service.url,
      connectionString,
      caFile,
      ...(options.tls && { tlsConnectionString }),
    },
    counts() {
      const { entities, activeMessages, deadLettered, scheduled, connections, billedOperations } = service.counts();
      return { entities, active: activeMessages, deadLettered, scheduled, connections, billed: billedOperations };
    },
    stop: () => service.stop(),
  };
}
