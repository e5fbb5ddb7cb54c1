import type { Link, LinkContext, Transport } from '@polycast/core/adapter';
import { serviceBus } from '../adapter.ts';
import type { ServiceBusOptions } from '../options.ts';
import { Way } from './way.ts';

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
  readonly #ways = new Map<Transport, Way>();

  constructor(options: ServiceBusOptions, near?: NearService) {
    this.#options = options;
    this.#near = near;
  }

  make(): Transport {
    const transport = serviceBus(this.#options);
    const way = this.#near === undefined ? undefined : new Way(this.#near.host, this.#near.port);
    const watched: Transport = { ...transport, open: (context) => this.#open(transport, way, context) };
    if (way !== undefined) this.#ways.set(watched, way);
    return watched;
  }

  async #open(transport: Transport, way: Way | undefined, context: LinkContext): Promise<Link> {
    this.topics.add(context.topic);
    if (way === undefined || this.#near === undefined) return transport.open(context);
    return serviceBus(this.#near.optionsAt(await way.port())).open(context);
  }

  /** @throws TypeError for a transport that was not made here */
  async abandon(transport: Transport): Promise<void> {
    const way = this.#ways.get(transport);
    if (way === undefined) throw new TypeError('the transport is not of this harness');
    await way.end();
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#ways.values()].map((way) => way.end()));
  }
}
