import { BroadcastEvent, decodeEvents, encodeEvent } from '@polycast/core/adapter';
import type { CodecContender } from '../../codec/contender.ts';

const EPOCH = '0mi3k2x9a-7f3b2c';

/** What core's publisher and the adapters do for one event, the check of its data included: `encodeEvent` makes it. */
export const contender: CodecContender = {
  encode(data, number) {
    const nowMs = Date.now();
    const event = new BroadcastEvent({
      type: 'order.moved',
      source: '/till/till-1',
      id: number,
      epoch: EPOCH,
      time: nowMs,
      expiresAtMs: nowMs + 600_000,
      sequence: `${EPOCH}.${number}`,
      data,
    });
    return Buffer.from(encodeEvent(event));
  },
  decode(bytes) {
    let data: unknown;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    decodeEvents(
      text,
      (event) => {
        data = event.data;
      },
      (error) => {
        throw error;
      },
    );
    return data;
  },
};
