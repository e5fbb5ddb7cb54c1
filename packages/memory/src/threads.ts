import { decodeEvents, encodeEvent, type Outgoing } from '@polycast/core/adapter';
import type { Hub } from './hub.ts';

/** Carries what is published to hubs of the same name in other threads. */
export interface ThreadBridge {
  send(outgoing: Outgoing): void;
  leave(): void;
}

/** What crosses: the address list, the topic, and the event as CloudEvents JSON. */
interface Message {
  readonly topic: string;
  readonly to: Outgoing['to'];
  readonly json: string;
}

const bridges = new Map<Hub, { channel: BroadcastChannel; users: number }>();

/** One channel a hub, shared by its links. It never keeps a process alive. */
export function joinThreads(name: string, hub: Hub): ThreadBridge {
  const bridge = bridges.get(hub) ?? { channel: open(name, hub), users: 0 };
  bridge.users++;
  bridges.set(hub, bridge);
  return {
    send: ({ topic, to, event }) =>
      bridge.channel.postMessage({ topic, to, json: encodeEvent(event) } satisfies Message),
    leave: () => {
      if (--bridge.users > 0) return;
      bridges.delete(hub);
      bridge.channel.close();
    },
  };
}

function open(name: string, hub: Hub): BroadcastChannel {
  const channel = new BroadcastChannel(`polycast:${name}`);
  (channel as { unref?: () => void }).unref?.();
  channel.onmessage = ({ data }: { data: unknown }) => {
    if (!isMessage(data)) return;
    const { topic, to, json } = data;
    const room = hub.find(topic);
    if (room === undefined) return;
    decodeEvents(
      json,
      (event) => void room.publish({ event, topic, to, json: undefined, expiresAtMs: event.expiresAtMs }, undefined),
      () => {},
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
