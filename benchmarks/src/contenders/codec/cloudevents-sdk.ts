import { CloudEvent, HTTP } from 'cloudevents';
import type { CodecContender } from '../../codec/contender.ts';

const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' };

/** The official SDK as its README shows it: class with validation, structured mode. */
export const contender: CodecContender = {
  encode(data, number) {
    const now = Date.now();
    const event = new CloudEvent({
      type: 'order.moved',
      source: '/till/till-1',
      id: `0mi3k2x9a-7f3b2c.${number}`,
      time: new Date(now).toISOString(),
      expirytime: new Date(now + 600_000).toISOString(),
      sequence: `0mi3k2x9a-7f3b2c.${number}`,
      data,
    });
    return Buffer.from(HTTP.structured(event).body as string);
  },
  decode(bytes) {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    return (HTTP.toEvent({ headers, body }) as { data: unknown }).data;
  },
};
