import fc from 'fast-check';
import { message as amqp } from 'rhea';
import { describe, expect, it } from 'vitest';
import { AmqpWriter } from '../src/sdk-internals/amqp-writer.ts';
import { MessageBatch, type PlainMessage, writeMessage } from '../src/sdk-internals/message-batch.ts';

const plain = (parts: Partial<PlainMessage> = {}): PlainMessage => ({
  body: Buffer.from('{}'),
  messageId: '/x|1',
  applicationProperties: {},
  ...parts,
});

function written(message: PlainMessage): Buffer {
  const writer = new AmqpWriter(1);
  writeMessage(writer, message);
  return writer.bytes();
}

interface Decoded {
  readonly ttl?: number;
  readonly message_id?: string;
  readonly content_type?: string;
  readonly group_id?: string;
  readonly application_properties: Record<string, unknown>;
  readonly body: { readonly typecode: number; readonly content: Buffer | Buffer[] };
}

/** Messages as rhea reads them, of which we name what we set. */
function read(bytes: Buffer) {
  const { ttl, message_id, content_type, group_id, application_properties, body } = amqp.decode(
    bytes,
  ) as unknown as Decoded;
  return { ttl, message_id, content_type, group_id, application_properties, body };
}

const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.string({ maxLength: 70 }));
const name = fc.string({ minLength: 1, maxLength: 60 }).filter((one) => one !== '__proto__');
// AMQP has no integer -0, nor have attributes: it is written as 0, as JSON does.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0);
const value = fc.oneof(text, fc.boolean(), fc.integer(), number);
const messages = fc.record({
  body: fc.uint8Array({ maxLength: 400 }),
  messageId: text,
  contentType: fc.option(fc.string({ unit: fc.constantFrom('a', '/', '+', 'z'), minLength: 1, maxLength: 300 }), {
    nil: undefined,
  }),
  sessionId: fc.option(text, { nil: undefined }),
  timeToLive: fc.option(fc.integer({ min: 1, max: 0xffffffff }), { nil: undefined }),
  applicationProperties: fc.dictionary(name, value, { maxKeys: 8 }),
}) as fc.Arbitrary<PlainMessage>;

describe('a message as bytes', () => {
  it('is read by AMQP software as what was written', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const seen = read(written(message));
        expect(seen).toEqual({
          ttl: message.timeToLive,
          message_id: message.messageId,
          content_type: message.contentType,
          group_id: message.sessionId,
          application_properties: { ...message.applicationProperties },
          body: expect.objectContaining({ typecode: 0x75, content: Buffer.from(message.body) }),
        });
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['an integer', 7, [0x71, 0, 0, 0, 7]],
    ['minus zero', -0, [0x71, 0, 0, 0, 0]],
    ['a negative one', -2, [0x71, 0xff, 0xff, 0xff, 0xfe]],
    ['true', true, [0x41]],
    ['text', 'ö', [0xa1, 2, 0xc3, 0xb6]],
  ])('has %s as the binding of CloudEvents says', (_, given, bytes) => {
    const found = written(plain({ applicationProperties: { n: given } }));
    expect(found.includes(Buffer.from([0xa1, 1, 0x6e, ...bytes]))).toBe(true);
  });
});

describe('a batch', () => {
  const batchOf = (max: number, all: readonly PlainMessage[]) => {
    const batch = new MessageBatch(max, 64);
    return { batch, taken: all.map((one) => batch.tryAddMessage(one)) };
  };

  it('is one message whose data sections are messages, and tells the service the id and session of the first', () => {
    const { batch } = batchOf(10_000, [plain({ messageId: 'a', sessionId: 's' }), plain({ messageId: 'b' })]);
    const outer = read(batch._generateMessage());
    expect(outer).toMatchObject({ message_id: 'a', group_id: 's' });
    expect((outer.body.content as Buffer[]).map((one) => read(one).message_id)).toEqual(['a', 'b']);
    expect(batch).toMatchObject({ count: 2, sizeInBytes: batch._generateMessage().length });
  });

  it('refuses what does not fit, and is as it was before', () => {
    const small = plain();
    const { batch } = batchOf(300, [small]);
    const before = Buffer.from(batch._generateMessage());
    expect(batch.tryAddMessage(plain({ body: Buffer.alloc(300) }))).toBe(false);
    expect(batch._generateMessage()).toEqual(before);
    expect(batch.tryAddMessage(small)).toBe(true);
    expect(batch.count).toBe(2);
  });

  it('takes a message that fits to the byte, and none that is one byte too long', () => {
    const bytes = batchOf(10_000, [plain()]).batch.sizeInBytes;
    expect(batchOf(bytes, [plain()]).taken).toEqual([true]);
    expect(batchOf(bytes - 1, [plain()]).taken).toEqual([false]);
  });
});
