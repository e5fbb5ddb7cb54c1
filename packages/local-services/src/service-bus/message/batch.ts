import { decodeError, Reader } from './encoding/reader.ts';
import { Content } from './message.ts';
import { SECTION, sectionCode } from './sections.ts';

/** The message-format of a transfer whose data sections are messages themselves. */
export const BATCH_FORMAT = 0x80013700;

/**
 * The messages of a batch transfer. What the outer message carries beside them (clients copy the first message's
 * annotations there) is for routing and is left out.
 * @throws BrokerError `amqp:decode-error`
 */
export function readBatch(bytes: Buffer, nowMs = Date.now()): Content[] {
  const messages: Content[] = [];
  const reader = new Reader(bytes);
  while (!reader.done) {
    if (sectionCode(reader) === SECTION.data) messages.push(Content.read(dataOf(reader), nowMs));
    else reader.skip();
  }
  return messages;
}

function dataOf(reader: Reader): Buffer {
  const value = reader.value();
  return Buffer.isBuffer(value) ? value : decodeError('a data section that is not binary');
}
