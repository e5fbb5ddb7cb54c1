import type { Transport } from '@polycast/core/adapter';
import type { ProxyHandle } from '@polycast/local-services/proxy';
import { serviceBus } from '../adapter.ts';
import type { ServiceBusOptions } from '../options.ts';

/** A service on this machine, which participants may be cut off from one by one. */
export interface NearService {
  readonly host: string;
  readonly port: number;
  /** The options that lead to the service by another port. */
  optionsAt(port: number): ServiceBusOptions;
}

/** The transports of a run. */
export class Participants {
  /** Topics that were opened. */
  readonly topics = new Set<string>();
  readonly #options: ServiceBusOptions;
  readonly #near: NearService | undefined;
  /** What leads each transport to the near service. */
  readonly #proxies = new Map<Transport, Promise<ProxyHandle>>();

  constructor(options: ServiceBusOptions, near?: NearService) {
    this.#options = options;
    this.#near = near;
  }

  make(): Transport {
    const transport = serviceBus(this.#options);
    const near = this.#near;
    let nearby: Promise<Transport> | undefined;
    const watched: Transport = {
      ...transport,
      open: async (context) => {
        this.topics.add(context.topic);
        if (near === undefined) return transport.open(context);
        // One for all who open it: they share its connection.
        nearby ??= this.#proxyOf(watched, near).then(({ port }) => serviceBus(near.optionsAt(port)));
        return (await nearby).open(context);
      },
    };
    return watched;
  }

  #proxyOf(transport: Transport, { host, port }: NearService): Promise<ProxyHandle> {
    const proxy =
      this.#proxies.get(transport) ??
      import('@polycast/local-services/proxy').then(({ startProxy }) => startProxy({ target: { host, port } }));
    this.#proxies.set(transport, proxy);
    return proxy;
  }

  /** @throws TypeError for a transport that was not made here */
  async abandon(transport: Transport): Promise<void> {
    const proxy = await this.#proxies.get(transport);
    if (proxy === undefined) throw new TypeError('the transport is not of this harness, or was never opened');
    // Its port stays taken: should another process get it, the participant would connect there.
    proxy.refuse();
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map(async (proxy) => (await proxy).stop()));
  }
}
