import { afterEach, expect, test } from 'vitest';
import type { BroadcastEvent, EncodedJson } from '../src/adapter.ts';
import { encodeEvent, PolycastError } from '../src/adapter.ts';
import { type Broadcaster, type ConnectOptions, connect } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

/** What a link makes of an event comes back to it, the very same, whatever becomes of the event meanwhile. */

const openOnes: Broadcaster[] = [];

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

interface Written extends EncodedJson {
  readonly number: number;
}

/** A link that counts what it encodes, and says that each letter of the data takes ten bytes. */
function encodingTransport(limits: ConstructorParameters<typeof LoopTransport>[1] = {}) {
  const transport = new LoopTransport({}, { maxBatchesInFlight: 1, ...limits });
  transport.loops = false;
  const calls: { data: unknown; before: EncodedJson | undefined }[] = [];
  transport.encode = (event: BroadcastEvent, before?: EncodedJson): Written => {
    calls.push({ data: event.data, before });
    if (event.data === 'unwritable') throw new PolycastError('invalid-payload', 'as the test says');
    const json =
      before === undefined
        ? encodeEvent(event)
        : JSON.stringify({ ...JSON.parse(before.json), sequence: event.sequence });
    return { json, size: before?.size ?? 10 * String(event.data).length, number: calls.length };
  };
  return { transport, calls };
}

async function join(transport: LoopTransport, options: Partial<ConnectOptions> = {}): Promise<Broadcaster> {
  const self = { role: 'r', instance: 'me' };
  const me = await connect({ transport, topic: 't', self, retry: { maxAttempts: 3, baseMs: 1, maxMs: 1 }, ...options });
  openOnes.push(me);
  return me;
}

const numbersOf = (transport: LoopTransport) =>
  transport.sent.map((batch) => batch.map(({ encoded }) => (encoded as Written).number));

test('an event is encoded once, and tried again as it was', async () => {
  const { transport, calls } = encodingTransport();
  let refusals = 2;
  transport.onPublish = async () => {
    if (refusals-- > 0) throw new PolycastError('throttled', 'as the test says');
  };
  const me = await join(transport);
  await Promise.all([me.publish({ type: 'x', data: 'a' }), me.publish({ type: 'x', data: 'b' })]);
  expect(numbersOf(transport)).toEqual([
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
  expect(calls.map(({ before }) => before)).toEqual([undefined, undefined]);
});

test('the size that the link says counts against the limits of events and of batches', async () => {
  const { transport } = encodingTransport({ maxEventBytes: 100, maxBatchBytes: 150 });
  const me = await join(transport);
  await expect(me.publish({ type: 'x', data: 'longer than ten' })).rejects.toMatchObject({ code: 'payload-too-large' });
  await Promise.all(['ten letter', 'five!', 'one'].map((data) => me.publish({ type: 'x', data })));
  expect(numbersOf(transport)).toEqual([[2, 3], [4]]);
});

test('a link that encodes though its events may be of any size is given what it made', async () => {
  const { transport } = encodingTransport({ maxEventBytes: Number.POSITIVE_INFINITY });
  const me = await join(transport);
  await me.publish({ type: 'x', data: 'a' });
  expect(numbersOf(transport)).toEqual([[1]]);
});

test('what the link cannot encode rejects, and leaves no hole in the numbers', async () => {
  const { transport } = encodingTransport();
  const me = await join(transport);
  await expect(me.publish({ type: 'x', data: 'unwritable' })).rejects.toMatchObject({ code: 'invalid-payload' });
  await me.publish({ type: 'x', data: 'a' });
  expect(transport.sent.flat().map(({ event }) => event.sequence?.slice(-2))).toEqual(['11']);
});

test('data that only JSON can say is made plain before the link sees it', async () => {
  const { transport, calls } = encodingTransport();
  const me = await join(transport);
  const at = new Date(0);
  await me.publish({ type: 'x', data: { at, toJSON: () => ({ at }) } });
  await expect(me.publish({ type: 'x', data: { big: 1n } })).rejects.toMatchObject({ code: 'invalid-payload' });
  expect(calls.map(({ data }) => data)).toEqual([{ at: at.toISOString() }]);
});

test('an event that gets the number of a refused one is not encoded from its data again', async () => {
  const { transport, calls } = encodingTransport({ maxBatchEvents: 1 });
  const me = await join(transport);
  let refuse = (_: PolycastError) => {};
  transport.onPublish = () => new Promise((_, reject) => (refuse = reject));
  const refused = me.publish({ type: 'x', data: 'refused' });
  await expect.poll(() => transport.sent.length).toBe(1);
  const changing = { at: 1 };
  const taken = me.publish({ type: 'x', data: changing });
  changing.at = 2;
  transport.onPublish = () => {};
  refuse(new PolycastError('unauthorized', 'as the test says'));
  await expect(refused).rejects.toMatchObject({ code: 'unauthorized' });
  await taken;
  expect(calls[2]?.before).toMatchObject({ number: 2 });
  const sent = transport.sent.flat().map(({ encoded }) => JSON.parse(encoded.json));
  expect(sent[1]).toMatchObject({ data: { at: 1 }, sequence: sent[0].sequence });
});

test('a link that cannot renumber costs a number, and no publish', async () => {
  const { transport } = encodingTransport({ maxBatchEvents: 1 });
  const encode = transport.encode as NonNullable<LoopTransport['encode']>;
  transport.encode = (event, before) => {
    if (before !== undefined) throw new Error('a fault of the adapter');
    return encode(event);
  };
  const me = await join(transport);
  let refuse = (_: PolycastError) => {};
  transport.onPublish = () => new Promise((_, reject) => (refuse = reject));
  const refused = me.publish({ type: 'x', data: 'refused' });
  await expect.poll(() => transport.sent.length).toBe(1);
  const taken = [me.publish({ type: 'x', data: 'a' }), me.publish({ type: 'x', data: 'b' })];
  transport.onPublish = () => {};
  refuse(new PolycastError('unauthorized', 'as the test says'));
  await expect(refused).rejects.toMatchObject({ code: 'unauthorized' });
  await Promise.all(taken);
  expect(numbersOf(transport)).toEqual([[1], [2], [3]]);
});
