import {
  type Address,
  CORE,
  type Link,
  type LinkContext,
  type OptionNames,
  optionsOf,
  type Participant,
  PolycastError,
  type Sink,
  type Source,
  type SourceRequest,
  type Transport,
} from '@polycast/core/adapter';
import { type Attachment, MemoryBroker, type MemoryTopic, type Published } from './broker.ts';
import type { GroupMember } from './group.ts';
import { manifestOf } from './manifest.ts';
import { DEFAULT_HUB, type MemoryOptions } from './options.ts';
import type { ThreadBridge } from './threads.ts';

export { fromUrl, hubOf } from './from-url.ts';

const NAMES: OptionNames<MemoryOptions> = { hub: 1, threads: 1, copy: 1 };

/**
 * The in-process transport: participants of one hub and topic hand each other events by calling.
 *
 * `publish` hands the event to every subscriber before it returns; data is shared and not copied (see `copy`).
 * Hubs are known by name within a process; a hub is forgotten when its last participant leaves.
 * @throws PolycastError `invalid-configuration`
 */
export function memory(options: MemoryOptions = {}): Transport {
  // As `checkOptions` would with the table in from-url.ts, which a page would have to download.
  const refuse = (message: string) => new PolycastError('invalid-configuration', message);
  optionsOf('memory', options, NAMES, refuse);
  const { threads = false, copy = false } = options;
  const name = options.hub ?? DEFAULT_HUB;
  if (typeof name !== 'string' || name === '') throw refuse('memory: hub must be a non-empty string');
  for (const flag of ['threads', 'copy'] as const)
    if (typeof (options[flag] ?? true) !== 'boolean') throw refuse(`memory: ${flag} must be true or false`);
  const location = `memory:${name}${threads ? '?threads=true' : ''}`;
  return {
    manifest: manifestOf(threads),
    offeredBy: async () => (await import('@polycast/catalogue')).OFFERED_BY,
    core: CORE,
    location,
    open: async (context) => {
      // The codec comes with it, which a page without threads need not download.
      const bridging = threads ? await import('./threads.ts') : undefined;
      return new MemoryLink(context, location, copy, (hub) => bridging?.joinThreads(name, hub));
    },
  };
}

/** Hubs in use, by location. */
const hubs = new Map<string, MemoryBroker>();

/** Instances whose subscriptions the hub at a transport's location holds for a topic: none, once everybody has closed. */
export function heldAt(location: string, topic: string): readonly string[] {
  return (
    hubs
      .get(location)
      ?.find(topic)
      ?.participants.map(({ instance }) => instance) ?? []
  );
}

class MemoryLink implements Link<undefined> {
  readonly #location: string;
  readonly #topic: string;
  readonly #hub: MemoryBroker;
  readonly #attachment: Attachment;
  readonly #room: MemoryTopic;
  readonly #copy: boolean;
  readonly #bridge: ThreadBridge | undefined;
  readonly members?: () => Promise<readonly Participant[]>;

  constructor(
    { topic, self }: LinkContext,
    location: string,
    copy: boolean,
    join: (hub: MemoryBroker) => ThreadBridge | undefined,
  ) {
    this.#location = location;
    this.#topic = topic;
    this.#copy = copy;
    this.#hub = hubs.get(location) ?? new MemoryBroker();
    hubs.set(location, this.#hub);
    this.#attachment = { participant: self, listeners: [], memberships: 0 };
    this.#room = this.#hub.room(topic);
    this.#room.enter(this.#attachment);
    this.#bridge = join(this.#hub);
    if (this.#bridge === undefined) this.members = async () => this.#room.participants;
  }

  publish(batch: readonly Published[]): void | Promise<void> {
    const outgoing = this.#copy ? copyOf(batch[0] as Published) : (batch[0] as Published);
    // Dead letters go to another topic: perhaps nobody is there.
    const room = outgoing.topic === this.#topic ? this.#room : this.#hub.find(outgoing.topic);
    // What is refused here must not have reached another thread.
    if (this.#bridge !== undefined) room?.refuseIfFull(outgoing);
    this.#bridge?.send(outgoing);
    return room?.publish(outgoing, this.#attachment);
  }

  subscribe(request: SourceRequest, sink: Sink): Source | Promise<Source> {
    return request.group === undefined
      ? this.#listen(request.addresses, sink)
      : this.#compete(request.group, request.addresses, sink);
  }

  #listen(addresses: readonly Address[], sink: Sink): Source {
    const attachment = this.#attachment;
    const listener = { sink, addresses: new Set(addresses) };
    attachment.listeners = [...attachment.listeners, listener];
    const stop = async () => {
      attachment.listeners = attachment.listeners.filter((other) => other !== listener);
    };
    return { stop, close: stop };
  }

  async #compete(name: string, addresses: readonly Address[], sink: Sink): Promise<Source> {
    const { Group } = await import('./group.ts');
    const room = this.#room;
    const group = room.group(name, addresses, Group);
    const member: GroupMember = { sink, held: new Set() };
    group.join(member);
    this.#attachment.memberships++;
    let isOpen = true;
    return {
      caughtUp: () => group.caughtUp(member),
      stop: async () => group.stop(member),
      close: async () => {
        if (isOpen) this.#attachment.memberships--;
        isOpen = false;
        room.leaveGroup(name, member);
      },
    };
  }

  async close(): Promise<void> {
    this.#hub.leave(this.#topic, this.#attachment);
    this.#bridge?.leave();
    if (this.#hub.isEmpty) hubs.delete(this.#location);
  }
}

function copyOf(outgoing: Published): Published {
  return { ...outgoing, event: outgoing.event.with({ data: structuredClone(outgoing.event.data) }) };
}
