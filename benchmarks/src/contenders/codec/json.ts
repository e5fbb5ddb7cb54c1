import type { CodecContender } from '../../codec/contender.ts';

/** The same envelope by hand: an object literal through JSON.stringify and JSON.parse. No check of anything. */
export const contender: CodecContender = {
  encode(data, number) {
    const now = new Date();
    return Buffer.from(
      JSON.stringify({
        specversion: '1.0',
        type: 'order.moved',
        source: '/till/till-1',
        id: `0mi3k2x9a-7f3b2c.${number}`,
        time: now.toISOString(),
        expirytime: new Date(now.getTime() + 600_000).toISOString(),
        sequence: `0mi3k2x9a-7f3b2c.${number}`,
        data,
      }),
    );
  },
  decode(bytes) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    return (JSON.parse(text) as { data: unknown }).data;
  },
};
