import type { CodecContender } from '../../codec/contender.ts';

let text = '';

/** The wall: a text that is already there to bytes and back, nothing written and nothing parsed. */
export const contender: CodecContender = {
  encode(data, number) {
    if (text === '') text = JSON.stringify({ specversion: '1.0', id: number, data }).padEnd(500);
    return Buffer.from(text);
  },
  decode(bytes) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  },
};
