import type { Harness } from '@polycast/conformance';
import { buildTarget } from '@polycast/conformance/harness';
import { fromUrl } from './adapter.ts';
import { Broker } from './broker.ts';

/** All that the conformance suite needs. `local` starts a broker of the run's own; another one is only used. */
export const harness: Harness = async ({ url, local = false }) => {
  if (!local) return buildTarget({ url: url.href, transport: () => fromUrl(url) });
  const service = await Broker.start();
  // A broker beside us answers at once: its silence is reported sooner.
  const at = new URL(`${service.url}?pingIntervalMs=500`);
  return buildTarget({
    url: at.href,
    transport: () => fromUrl(at),
    service,
    access: {
      residue: async (topic) => service.residue(topic),
      inject: async (topic, bytes) => service.append(topic, ['*'], new TextDecoder().decode(bytes)),
    },
    faults: {
      trim: async (topic) => service.trim(topic),
      throttle: async (leastMs) => {
        service.throttle(leastMs);
        return leastMs;
      },
    },
    remote: {
      module: new URL('./index.js', import.meta.url).href,
      address: { host: '127.0.0.1', port: service.port },
      urlAt: (port = service.port) => `line-log://127.0.0.1:${port}${at.search}`,
    },
  });
};
