import { decodeEvents, encodeEvent, PolycastError } from '@polycast/core/adapter';
import type { MemoryBroker, Published } from './broker.ts';

/** Carries what is published to hubs of the same name in other threads. */
export interface ThreadBridge {
  send(outgoing: Published): void;
  /** Called by each link after it has left the hub: the last one ends it. */
  leave(): void;
}

/** What crosses: the address list, the topic, and the event as CloudEvents JSON. */
interface Message {
  readonly topic: string;
  readonly to: Published['to'];
  readonly json: string;
}

const channels = new Map<MemoryBroker, BroadcastChannel>();

/** One channel a hub, shared by its links. It never keeps a process alive. */
export function joinThreads(name: string, hub: MemoryBroker): ThreadBridge {
  const channel = channels.get(hub) ?? open(name, hub);
  channels.set(hub, channel);
  return {
    send: ({ topic, to, event }) => channel.postMessage({ topic, to, json: encodeEvent(event) } satisfies Message),
    leave: () => {
      if (!hub.isEmpty) return;
      channels.delete(hub);
      channel.close();
    },
  };
}

/** The channel of the hubs of one name. */
export function openChannel(name: string): BroadcastChannel {
  const channel = new BroadcastChannel(`polycast:${name}`);
  (channel as { unref?: () => void }).unref?.();
  return channel;
}

function open(name: string, hub: MemoryBroker): BroadcastChannel {
  const channel = openChannel(name);
  channel.onmessage = ({ data }: { data: unknown }) => {
    if (!isMessage(data)) return;
    const { topic, to, json } = data;
    const room = hub.find(topic);
    if (room === undefined) return;
    decodeEvents(
      json,
      (event) => {
        try {
          void room.publish({ event, topic, to, encoded: undefined, expiresAtMs: event.expiresAtMs }, undefined);
        } catch (thrown) {
          room.failed(PolycastError.from(thrown), to);
        }
      },
      (error) => room.corrupt(error, to),
    );
  };
  return channel;
}

/** Anyone in the process may post to the channel. */
function isMessage(data: unknown): data is Message {
  if (typeof data !== 'object' || data === null) return false;
  const { topic, to, json } = data as Partial<Record<keyof Message, unknown>>;
  return (
    typeof topic === 'string' &&
    typeof json === 'string' &&
    Array.isArray(to) &&
    to.every((address) => typeof address === 'string')
  );
}
