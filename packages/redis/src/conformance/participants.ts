import type { Transport } from '@polycast/core/adapter';
import { makeTransport, type Reading } from '../from-url.ts';
import { Way } from './way.ts';

/** The transports of a run, each with connections that can be broken. */
export class Participants {
  /** Topics that were opened. */
  readonly topics = new Set<string>();
  readonly #url: URL;
  readonly #reading: Reading;
  readonly #ways = new Map<Transport, Way>();

  constructor(url: URL, reading: Reading) {
    this.#url = url;
    this.#reading = reading;
  }

  make(): Transport {
    const { streams, options } = this.#reading;
    const way = new Way();
    const ioredis = { Connector: way.connector(options.sentinels !== undefined) };
    const transport = makeTransport(this.#url, { streams, options: { ...options, ioredis } });
    const watched: Transport = {
      ...transport,
      open: (context) => {
        this.topics.add(context.topic);
        return transport.open(context);
      },
    };
    this.#ways.set(watched, way);
    return watched;
  }

  async cut(): Promise<void> {
    await Promise.all([...this.#ways.values()].map((way) => way.cut()));
  }

  /** @throws TypeError for a transport that was not made here */
  async abandon(transport: Transport): Promise<void> {
    const way = this.#ways.get(transport);
    if (way === undefined) throw new TypeError('the transport is not of this harness');
    await way.end();
  }
}
