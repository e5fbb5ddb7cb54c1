import { createHash } from 'node:crypto';
import type { Address, BroadcastEvent } from '@polycast/core/adapter';
import * as scripts from './contest-scripts.ts';
import type { SourceParts } from './stream-reader.ts';

/** Most lost entries that one member looks after. The others come up again when their lock runs out. */
const MAX_LOST = 1_024;
/** Most of them that it asks for at once. */
const MAX_ASKED = 64;

/** An entry that lost its turn, with what another attempt needs. */
export interface LostEntry {
  readonly contestant: scripts.Contestant;
  readonly attempt: number;
  /** Of its event, if others wait for it. */
  readonly partitionKey: string | undefined;
}

/**
 * Events for several addresses, as one member of a group sees them. Such an event stands in several streams, and members of
 * one group may listen to different ones of them: its entries contest, and one gets the turn, for as long as its lock. When it
 * is accepted, the others are acknowledged as they come up. Its holder gone or its lock lost, another entry gets the turn.
 */
export class Contests {
  readonly #parts: SourceParts;
  readonly #member: { readonly group: string; readonly consumer: string };
  /** Key of the set of what the group has accepted of what stands in several streams. */
  readonly doneKey: string;
  /** Addresses of the streams that are read, those first that reach most. */
  readonly #addresses: readonly Address[];
  readonly #lost = new Map<string, LostEntry>();

  constructor(parts: SourceParts, member: { group: string; consumer: string }, addresses: readonly Address[]) {
    this.#parts = parts;
    this.#member = member;
    this.doneKey = this.#keyOf('done', member.group);
    this.#addresses = addresses;
  }

  /** Of the addresses of an event that we listen to ourselves, only the first counts: does it come by another one, too? */
  comesByAnother({ to }: BroadcastEvent, address: Address): boolean {
    if (typeof to !== 'string' || !to.includes(',')) return false;
    const all = to.split(',');
    // A dead letter says to whom it once was sent.
    return all.includes(address) && this.#addresses.find((own) => all.includes(own)) !== address;
  }

  /** @returns undefined if nobody else in the group can come by it */
  contestantFor(event: BroadcastEvent, entry: { key: string; id: string }): scripts.Contestant | undefined {
    if (this.#parts.request.group === undefined || typeof event.to !== 'string' || !event.to.includes(','))
      return undefined;
    // Ids come off the wire: as keys they are all alike.
    const mark = createHash('sha1').update(`${event.source}\n${event.id}`).digest('base64url');
    const { group } = this.#member;
    const turn = this.#keyOf('turn', `${group}:${mark}`);
    return { ...this.#member, stream: entry.key, id: entry.id, turn, done: this.doneKey, mark };
  }

  /** Asks for the turn. What could not be asked is asked again, like what was lost. Never rejects. */
  async enter(entry: LostEntry): Promise<scripts.Turn> {
    const { contestant: one, attempt } = entry;
    const { commands, watch, request } = this.#parts;
    const name = `${one.stream} ${one.id}`;
    this.#lost.delete(name);
    const turn = await watch
      .run(() => scripts.enter(commands.client, one, attempt, request.lockMs))
      .catch((): scripts.Turn => 'lost');
    if (turn === 'lost' && this.#lost.size < MAX_LOST) this.#lost.set(name, entry);
    return turn;
  }

  /** Is something lost that we look after? */
  get hasLost(): boolean {
    return this.#lost.size > 0;
  }

  /** Asks again for what was lost, the longest ago first. @returns what we have got, and what the group has accepted meanwhile */
  async askAgain(): Promise<{ readonly won: readonly LostEntry[]; readonly done: readonly LostEntry[] }> {
    const asked = [...this.#lost.values()].slice(0, MAX_ASKED);
    const turns = await Promise.all(asked.map((entry) => this.enter(entry)));
    const those = (turn: scripts.Turn) => asked.filter((_, at) => turns[at] === turn);
    return { won: those('won'), done: those('done') };
  }

  /** The entry's event was accepted. */
  async finish(one: scripts.Contestant): Promise<void> {
    const { commands, watch, settings } = this.#parts;
    await watch.run(() => scripts.finish(commands.client, one, settings.maxAgeMs));
  }

  renew(one: scripts.Contestant): Promise<boolean> {
    return scripts.renew(this.#parts.commands.client, one, this.#parts.request.lockMs);
  }

  leave(one: scripts.Contestant): Promise<void> {
    return scripts.leave(this.#parts.commands.client, one);
  }

  /** Beside the streams of the topic, where no address can be. */
  #keyOf(kind: 'turn' | 'done', name: string): string {
    const { settings, context } = this.#parts;
    return `${settings.prefix}:{${context.topic}}:~${kind}:${name}`;
  }

  /** Closing: what we look after is for others to look after. */
  takeLost(): readonly LostEntry[] {
    const all = [...this.#lost.values()];
    this.#lost.clear();
    return all;
  }
}
