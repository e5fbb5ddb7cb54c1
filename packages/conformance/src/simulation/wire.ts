import {
  type BroadcastEvent,
  decodeEvents,
  type EncodedJson,
  encodeEvent,
  type Outgoing,
} from '@polycast/core/adapter';

/** What the simulated service is sent: nothing is encoded where participants call one another. */
export type Sent = Outgoing<EncodedJson | undefined>;

/** The event as a receiver reads it off the wire: an object of its own, that knows nothing of its publisher's process. */
export function received({ event, encoded }: Sent): BroadcastEvent {
  if (encoded === undefined) return event;
  let read: BroadcastEvent | undefined;
  decodeEvents(
    encoded.json,
    (one) => {
      read = one;
    },
    (error) => {
      throw error;
    },
  );
  return read ?? event;
}

/** As a link writes that has a format of its own: of an event that is renumbered the data is not read again. */
export function encode(event: BroadcastEvent, before?: EncodedJson): EncodedJson {
  const json =
    before === undefined
      ? encodeEvent(event)
      : JSON.stringify({ ...JSON.parse(before.json), sequence: event.sequence });
  return { size: json.length, json };
}
