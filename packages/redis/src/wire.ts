import type { Address, Outgoing, StartPosition } from '@polycast/core/adapter';
import { encodeBatch } from '@polycast/core/adapter';

/** Name of the field of a stream entry that holds an event, or a JSON batch of them. */
export const EVENT_FIELD = 'event';

/** Name of the field that holds the partition key of an entry's event: an entry that has one holds no other event. */
export const KEY_FIELD = 'key';
/** Pieces of a large event belong together, whatever its key: who gets one must not wait for it to be done before the next. */
const CHUNK_TYPE = 'polycast.chunk';

/** The partition key that an event's entry is to carry. */
export function entryKeyOf({ event }: Outgoing): string | undefined {
  const key = event.partitionkey;
  return typeof key !== 'string' || key === '' || event.type === CHUNK_TYPE ? undefined : key;
}

/** The channel, or the key of the stream, for one address. The hash tag keeps a topic in one slot of a cluster. */
export function channelOf(prefix: string, topic: string, address: Address): string {
  if (prefix !== last.prefix || topic !== last.topic || address !== last.address) {
    last = { prefix, topic, address, channel: `${prefix}:{${topic}}:${address}` };
  }
  return last.channel;
}

/** Most events go where the one before went. */
let last = { prefix: '', topic: '', address: '', channel: '' };

/** One message or stream entry: its payload, and which events of the batch it holds. */
export interface Parcel {
  readonly channel: string;
  readonly payload: string;
  /** Indexes into the batch. */
  readonly indexes: readonly number[];
  /** The partition key of its only event. */
  readonly key: string | undefined;
}

interface Lane {
  readonly channel: string;
  readonly key: string | undefined;
  readonly texts: string[];
  readonly indexes: number[];
}

/** How events are put together. */
export interface Packing {
  /** The events of one channel become one JSON batch. */
  readonly batched: boolean;
  /** But for those with a partition key, which the service is to know: each can be acknowledged by itself. */
  readonly keyedAlone: boolean;
}

/** Sorts a batch by channel, keeping the order within each. */
export function parcelsOf(prefix: string, batch: readonly Outgoing[], packing: Packing): readonly Parcel[] {
  const lanes: Lane[] = [];
  /** Those to which more may be added. */
  const open = new Map<string, Lane>();
  let lastTopic: string | undefined;
  let everyone: Lane | undefined;
  for (let index = 0; index < batch.length; index++) {
    const outgoing = batch[index] as Outgoing;
    const { topic, to, encoded } = outgoing;
    const key = packing.keyedAlone ? entryKeyOf(outgoing) : undefined;
    // Most batches are for everyone on one topic: no channel's name is built twice for them.
    if (key === undefined && everyone !== undefined && topic === lastTopic && to.length === 1 && to[0] === '*') {
      everyone.texts.push(encoded.json);
      everyone.indexes.push(index);
      continue;
    }
    const isAlone = !packing.batched || key !== undefined;
    for (const address of to) {
      const channel = channelOf(prefix, topic, address);
      let lane = isAlone ? undefined : open.get(channel);
      if (lane === undefined) {
        lane = { channel, key, texts: [], indexes: [] };
        lanes.push(lane);
        if (isAlone) open.delete(channel);
        else open.set(channel, lane);
      }
      lane.texts.push(encoded.json);
      lane.indexes.push(index);
      if (address === '*') {
        lastTopic = topic;
        everyone = isAlone ? undefined : lane;
      }
    }
  }
  return lanes.map(({ channel, key, texts, indexes }) => ({ channel, key, indexes, payload: encodeBatch(texts) }));
}

/** Where an event stands: the id of its stream entry, its place in the entry's batch, and whose stream it is. */
export interface Position {
  readonly id: string;
  /** From 0. Left out of the text for an event that travelled alone. */
  readonly index: number | undefined;
  readonly address: Address;
}

export function formatPosition({ id, index, address }: Position): string {
  return `${id}${index === undefined ? '' : `.${index}`}${address === '*' ? '' : `@${address}`}`;
}

const POSITION = /^(\d{1,16}-\d{1,20})(?:\.(\d{1,6}))?(?:@((?:role|instance):.+))?$/;

export function parsePosition(text: string): Position | undefined {
  const match = POSITION.exec(text);
  if (match === null) return undefined;
  const [, id = '', index, address = '*'] = match;
  return { id, index: index === undefined ? undefined : Number(index), address: address as Address };
}

/** The greatest sequence part of a stream id. */
const LAST_IN_MS = '18446744073709551615';

/** The id after which entries of one address's stream are wanted; undefined for `new`. */
export function startIdOf(from: StartPosition, address: Address): string | undefined {
  if (from === 'new') return undefined;
  if (from === 'earliest') return '0-0';
  if ('timeMs' in from) return before(Math.max(0, Math.ceil(from.timeMs)));
  const position = parsePosition(from.after);
  if (position === undefined) return '0-0';
  // In another stream, an entry of the same millisecond may be newer; in a batch, the rest of it is.
  if (position.address !== address) return before(Number(position.id.split('-')[0]));
  return position.index === undefined ? position.id : previousId(position.id);
}

/** Compares stream ids as numbers. */
export function compareIds(left: string, right: string): number {
  const [leftMs = '0', leftSeq = '0'] = left.split('-');
  const [rightMs = '0', rightSeq = '0'] = right.split('-');
  return compareNumbers(leftMs, rightMs) || compareNumbers(leftSeq, rightSeq);
}

function compareNumbers(left: string, right: string): number {
  const [a, b] = [BigInt(left), BigInt(right)];
  return a < b ? -1 : a > b ? 1 : 0;
}

function previousId(id: string): string {
  const [ms = '0', seq = '0'] = id.split('-');
  return seq === '0' ? before(Number(ms)) : `${ms}-${BigInt(seq) - 1n}`;
}

function before(ms: number): string {
  return ms === 0 ? '0-0' : `${ms - 1}-${LAST_IN_MS}`;
}
