import type { Transport } from '@polycast/core';
import type { Link } from '@polycast/core/adapter';
import { OwnSockets } from './own-sockets.ts';

/** The transports of a run, each with connections that can be broken. */
export class Participants {
  /** Topics that were opened. */
  readonly topics = new Set<string>();
  readonly #make: () => Transport;
  readonly #sockets = new Map<Transport, OwnSockets>();

  /** @param make a fresh transport each time */
  constructor(make: () => Transport) {
    this.#make = make;
  }

  make(): Transport {
    const sockets = new OwnSockets();
    const transport = this.#make();
    const watched: Transport = {
      ...transport,
      open: async (context) => {
        this.topics.add(context.topic);
        return watchedLink(await sockets.watch(() => transport.open(context)), sockets);
      },
    };
    this.#sockets.set(watched, sockets);
    return watched;
  }

  /** Breaks every connection of every participant, once. */
  async cut(): Promise<void> {
    await Promise.all([...this.#sockets.values()].map((sockets) => sockets.cut()));
  }

  /** Cuts one participant off for good. @throws TypeError for a transport that was not made here */
  async abandon(transport: Transport): Promise<void> {
    const sockets = this.#sockets.get(transport);
    if (sockets === undefined) throw new TypeError('the transport is not of this harness');
    await sockets.cutOff();
  }
}

/** A link may make a connection when it first publishes or subscribes: these are calls of core, which come from elsewhere. */
function watchedLink(link: Link, sockets: OwnSockets): Link {
  const publish = link.publish.bind(link);
  const subscribe = link.subscribe.bind(link);
  return Object.assign(link, {
    publish: (...args: Parameters<Link['publish']>) => sockets.watch(() => publish(...args)),
    subscribe: (...args: Parameters<Link['subscribe']>) => sockets.watch(() => subscribe(...args)),
  });
}
