import { type BroadcastEvent, decodeEvents } from '@polycast/core/adapter';
import type { CodecContender } from '../../codec/contender.ts';
import { contender as polycast } from './polycast.ts';

/** The same, up to the event: its attributes are there, and its data is parsed when somebody reads it, as a filter does not. */
export const contender: CodecContender = {
  encode: (data, number) => polycast.encode(data, number),
  decode(bytes) {
    let event: BroadcastEvent | undefined;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    decodeEvents(
      text,
      (one) => {
        event = one;
      },
      (error) => {
        throw error;
      },
    );
    return event;
  },
  dataOf: (event) => (event as BroadcastEvent).data,
};
