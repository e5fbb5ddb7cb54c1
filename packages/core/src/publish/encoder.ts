import type { Manifest } from '../contract/manifest.ts';
import type { Encoded, EncodedJson, Link, Outgoing } from '../contract/transport.ts';
import { encodeEvent } from '../envelope/encode.ts';
import type { BroadcastEvent } from '../envelope/event.ts';
import { utf8Length } from '../envelope/limits.ts';
import { normaliseData } from '../envelope/normalise.ts';

/**
 * What events become on the wire of one link: what its `encode` returns, else CloudEvents JSON; nothing where the transport takes the
 * event itself, which it does where the size of an event is unlimited.
 */
export class Encoder {
  readonly #link: Link;
  readonly #maxEventBytes: number;
  readonly #isJson: boolean;

  constructor(link: Link, { limits }: Manifest) {
    this.#link = link;
    this.#maxEventBytes = limits.maxEventBytes;
    this.#isJson = link.encode === undefined && limits.maxEventBytes !== Number.POSITIVE_INFINITY;
  }

  /** Data as an event to be encoded holds it: what is written as JSON is made plain where it is written. @throws `invalid-payload` */
  dataOf(data: unknown): unknown {
    return this.#isJson ? data : normaliseData(data);
  }

  /** @throws PolycastError `invalid-payload`, and what the link's `encode` throws */
  encode(event: BroadcastEvent): Encoded | undefined {
    return this.#isJson ? this.#json(encodeEvent(event)) : this.#link.encode?.(event);
  }

  #json(json: string): EncodedJson {
    // A UTF-16 unit takes at most three bytes of UTF-8, so most events need no counting.
    const size = json.length * 3 <= this.#maxEventBytes ? json.length : utf8Length(json);
    return { size, json };
  }

  /** The same event under another number, as it was written: the data may have changed since, or throw when it is read again. */
  renumber(outgoing: Outgoing<Encoded | undefined>, sequence: string): Outgoing<Encoded | undefined> {
    const event = outgoing.event.with({ sequence });
    let { encoded } = outgoing;
    if (this.#isJson) {
      // Inside a JSON string no quotes stand bare, and the sequence comes before all other attributes.
      const { json } = encoded as EncodedJson;
      encoded = this.#json(json.replace(`,"sequence":"${outgoing.event.sequence}"`, `,"sequence":"${sequence}"`));
    } else if (encoded !== undefined) {
      try {
        encoded = this.#link.encode?.(event, encoded);
      } catch {
        // A fault of the adapter: better a number that is missing than a queue that stands still.
        return outgoing;
      }
    }
    return { ...outgoing, event, encoded };
  }
}

/** The end of the batch that begins at `from`: the longest run that the transport takes at once, and at least one. */
export function endOfBatch(
  entries: readonly ({ readonly outgoing: Outgoing<Encoded | undefined> } | undefined)[],
  from: number,
  { maxBatchEvents, maxBatchBytes }: Manifest['limits'],
): number {
  const end = Math.min(entries.length, from + maxBatchEvents);
  let bytes = 0;
  let to = from;
  for (; to < end; to++) {
    bytes += entries[to]?.outgoing.encoded?.size ?? 0;
    if (bytes > maxBatchBytes && to > from) break;
  }
  return to;
}
