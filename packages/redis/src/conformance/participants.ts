import type { Transport } from '@polycast/core/adapter';
import { makeTransport, type Reading } from '../from-url.ts';
import { Sockets } from '../sockets.ts';

/** The transports of a run, each with connections that can be broken from this side: that harms no server. */
export class Participants {
  /** Topics that were opened. */
  readonly topics = new Set<string>();
  readonly #url: URL;
  readonly #reading: Reading;
  readonly #sockets = new Map<Transport, Sockets>();

  constructor(url: URL, reading: Reading) {
    this.#url = url;
    this.#reading = reading;
  }

  make(): Transport {
    const { streams, options } = this.#reading;
    const sockets = new Sockets();
    const ioredis = { Connector: sockets.connector(options.sentinels !== undefined) };
    const transport = makeTransport(this.#url, { streams, options: { ...options, ioredis } });
    const watched: Transport = {
      ...transport,
      open: (context) => {
        this.topics.add(context.topic);
        return transport.open(context);
      },
    };
    this.#sockets.set(watched, sockets);
    return watched;
  }

  async cut(): Promise<void> {
    await Promise.all([...this.#sockets.values()].map((sockets) => sockets.cut()));
  }

  /** @throws TypeError for a transport that was not made here */
  async abandon(transport: Transport): Promise<void> {
    const sockets = this.#sockets.get(transport);
    if (sockets === undefined) throw new TypeError('the transport is not of this harness');
    await sockets.end();
  }
}
