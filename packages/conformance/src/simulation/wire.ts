import { type BroadcastEvent, decodeEvents, type Outgoing } from '@polycast/core/adapter';

/** The event as a receiver reads it off the wire: an object of its own, that knows nothing of its publisher's process. */
export function received({ event, json }: Outgoing): BroadcastEvent {
  if (json === undefined) return event;
  let read: BroadcastEvent | undefined;
  decodeEvents(
    json,
    (one) => {
      read = one;
    },
    (error) => {
      throw error;
    },
  );
  return read ?? event;
}
