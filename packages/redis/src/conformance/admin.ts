import type { Faults } from '@polycast/conformance';
import type { Cluster, Redis } from 'ioredis';
import { type Commands, openCommands } from '../client.ts';
import type { Settings } from '../settings.ts';
import { channelOf, EVENT_FIELD } from '../wire.ts';

/** Keys that one SCAN looks at: the server is busy with it for less than a millisecond. */
const SCAN_COUNT = 1_000;

/** Looks at a server, and writes to it as a stranger would, on a connection of its own. */
export class Admin {
  #settings: Settings;
  readonly #streams: boolean;
  #commands: Promise<Commands> | undefined;

  constructor(settings: Settings, streams: boolean) {
    this.#settings = settings;
    this.#streams = streams;
  }

  /** Bytes for everyone on a topic. */
  async inject(topic: string, bytes: Uint8Array): Promise<void> {
    const { client, isCluster } = await this.#open();
    const channel = channelOf(this.#settings.prefix, topic, '*');
    const raw = Buffer.from(bytes);
    if (this.#streams) await client.xadd(channel, '*', EVENT_FIELD, raw);
    else if (isCluster) await client.spublish(channel, raw);
    else await client.publish(channel, raw);
  }

  /** Channels somebody listens to, consumer groups, and what they keep beside the streams. The streams themselves are kept by design. */
  async residue(topic: string): Promise<readonly string[]> {
    const { isCluster } = await this.#open();
    const pattern = channelOf(literal(this.#settings.prefix), literal(topic), '*');
    const held: string[] = [];
    for (const node of await this.#nodes()) {
      const channels = await node.call('PUBSUB', isCluster ? 'SHARDCHANNELS' : 'CHANNELS', pattern);
      held.push(...(channels as string[]));
      for (const key of await keysOf(node, pattern)) held.push(...(await groupsOf(node, key)));
    }
    return held;
  }

  /** Removes the streams of topics whose name begins with one of these. */
  async remove(topics: ReadonlySet<string>): Promise<void> {
    const { prefix } = this.#settings;
    if (topics.size === 0) return;
    for (const node of await this.#nodes()) {
      for (const key of await keysOf(node, `${literal(prefix)}:{*}:*`)) {
        const topic = key.slice(prefix.length + 2, key.indexOf('}', prefix.length));
        if ([...topics].some((own) => topic.startsWith(own))) await node.unlink(key);
      }
    }
  }

  /** What can be done to a server of our own that is up. */
  disturbances(streams: boolean): Faults {
    const call = async (...args: [string, ...(string | number)[]]) =>
      void (await (await this.#open()).client.call(...args));
    const channels = (topic: string) => channelOf(literal(this.#settings.prefix), literal(topic), '*');
    return {
      // Streams: writes find the memory full. Pub/sub takes no memory: there a script keeps the server busy.
      refuse: () => (streams ? call('CONFIG', 'SET', 'maxmemory', '1') : this.#busy()),
      relent: () => (streams ? call('CONFIG', 'SET', 'maxmemory', '0') : Promise.resolve()),
      forbid: (topic) => call('ACL', 'SETUSER', 'default', 'resetchannels', 'resetkeys', `~not-${topic}`),
      permit: () => call('ACL', 'SETUSER', 'default', 'allchannels', 'allkeys'),
      ...(streams && {
        trim: async (topic: string) => {
          const { client } = await this.#open();
          for (const key of await keysOf(client as Redis, channels(topic))) {
            if ((await client.type(key)) === 'stream') await client.xtrim(key, 'MAXLEN', 1);
          }
        },
        wipe: () => call('FLUSHALL'),
      }),
    };
  }

  /** Has the server refuse commands with BUSY for some ms. */
  async #busy(): Promise<void> {
    const { client } = await this.#open();
    await client.call('CONFIG', 'SET', 'busy-reply-threshold', 1);
    await client.eval(
      'local t = redis.call("TIME") repeat local n = redis.call("TIME") until (n[1] - t[1]) * 1000000 + n[2] - t[2] > 30000',
      0,
    );
  }

  /** Lets go of the connection, so that a server that ends does not break it. The next deed makes another. */
  async rest(): Promise<void> {
    const commands = this.#commands;
    this.#commands = undefined;
    await (await commands?.catch(() => undefined))?.close();
  }

  /** The server listens on another port by now. */
  async moveTo(port: number): Promise<void> {
    await this.rest();
    this.#settings = { ...this.#settings, port };
  }

  async #nodes(): Promise<readonly Redis[]> {
    const { client } = await this.#open();
    return 'nodes' in client ? (client as Cluster).nodes('master') : [client];
  }

  #open(): Promise<Commands> {
    this.#commands ??= openCommands(this.#settings).catch((thrown: unknown) => {
      this.#commands = undefined;
      throw thrown;
    });
    return this.#commands;
  }
}

/** SCAN, not KEYS: somebody else's server may hold millions. */
async function keysOf(node: Redis, pattern: string): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, found] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
    for (const key of found) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys];
}

async function groupsOf(node: Redis, key: string): Promise<readonly string[]> {
  // What is no stream belongs to a group.
  const type = await node.type(key);
  if (type !== 'stream') return type === 'none' ? [] : [key];
  const groups = (await node.xinfo('GROUPS', key)) as readonly (readonly unknown[])[];
  return groups.map((flat) => `${key} ${String(flat[1])}`);
}

/** Text as a pattern that only it matches. */
function literal(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
