import { afterEach, expect, test, vi } from 'vitest';
import { type ErrorCode, PolycastError } from '../src/adapter.ts';
import { type Broadcaster, connect } from '../src/index.ts';
import { numberIn } from '../src/publish/sequence-generator.ts';
import { LoopTransport } from './loop-transport.ts';

/** Which numbers go to others, when the transport does not take the events that had them. */

const openOnes: Broadcaster[] = [];

/** Events named by their data, three to a batch. @param answers what each send comes to, event by event; afterwards all is taken */
async function sendAll(names: string, answers: readonly (readonly (ErrorCode | undefined)[])[]) {
  const transport = new LoopTransport({}, { maxBatchesInFlight: 1, maxBatchEvents: 3 });
  transport.loops = false;
  const left = [...answers];
  transport.onPublish = async () =>
    left.shift()?.map((code) => (code === undefined ? undefined : new PolycastError(code, 'as the test says')));
  const self = { role: 'r', instance: 'me' };
  const me = await connect({ transport, topic: 't', self, retry: { maxAttempts: 3, baseMs: 1, maxMs: 1 } });
  openOnes.push(me);
  await Promise.allSettled([...names].map((data) => me.publish({ type: 'x', data })));
  await me.publish({ type: 'x', data: 'Z' });
  return transport.sent.map((batch) =>
    batch.map(({ event }) => `${event.data}${numberIn(event.sequence ?? '', event.epoch?.length ?? 0)}`).join(' '),
  );
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close({ drainMs: 0 })));
});

const final = 'unauthorized';
const again = 'throttled';

test.each<[string, (ErrorCode | undefined)[][], string[]]>([
  [
    'was refused once, and then for good',
    [Array(3).fill(again), Array(3).fill(final)],
    ['A1 B2 C3', 'A1 B2 C3', 'D1', 'Z2'],
  ],
  [
    'had no answer, and was then refused',
    [Array(3).fill('timeout'), Array(3).fill(final)],
    ['A1 B2 C3', 'A1 B2 C3', 'D4', 'Z5'],
  ],
  [
    'was cut off, and then refused',
    [Array(3).fill('disconnected'), Array(3).fill(final)],
    ['A1 B2 C3', 'A1 B2 C3', 'D4', 'Z5'],
  ],
  [
    'was taken in its middle, at first',
    [
      [again, undefined, again],
      [final, final],
    ],
    ['A1 B2 C3', 'A1 C3', 'D3', 'Z4'],
  ],
  [
    'was taken at its end, at first',
    [
      [again, again, undefined],
      [final, final],
    ],
    ['A1 B2 C3', 'A1 B2', 'D4', 'Z5'],
  ],
  [
    'was refused at its head, while the rest is tried again',
    [[final, again, again]],
    ['A1 B2 C3', 'B1 C2', 'D3', 'Z4'],
  ],
  ['was refused before what had no answer', [[final, 'timeout', again]], ['A1 B2 C3', 'B2 C3', 'D4', 'Z5']],
  ['was refused behind what had no answer', [['timeout', again, final]], ['A1 B2 C3', 'A1 B2', 'D3', 'Z4']],
])('of a batch that %s', async (_, answers, expected) => {
  expect(await sendAll('ABCD', answers)).toEqual(expected);
});

test('what expires while it waits for its next try leaves its number behind only if it may have been taken', async () => {
  for (const [code, next] of [
    [again, 'Z1'],
    ['timeout', 'Z2'],
  ] as const) {
    const clock = vi.spyOn(Date, 'now');
    const nowMs = Date.now();
    clock.mockImplementation(() => nowMs);
    const transport = new LoopTransport({}, { maxBatchesInFlight: 1 });
    transport.loops = false;
    transport.onPublish = async () => {
      clock.mockImplementation(() => nowMs + 60_000);
      throw new PolycastError(code, 'as the test says');
    };
    const me = await connect({
      transport,
      topic: 't',
      self: { role: 'r', instance: 'me' },
      retry: { maxAttempts: 3, baseMs: 1 },
    });
    openOnes.push(me);
    await expect(me.publish({ type: 'x', data: 'A' }, { ttlMs: 1_000 })).rejects.toMatchObject({ code: 'timeout' });
    transport.onPublish = () => {};
    await me.publish({ type: 'x', data: 'Z' });
    clock.mockRestore();
    const sent = transport.sent.flat().map(({ event }) => event);
    expect(sent.map(({ data, sequence = '', epoch = '' }) => `${data}${numberIn(sequence, epoch.length)}`)).toEqual([
      'A1',
      next,
    ]);
  }
});

test('an event under another number holds what it held when it was published', async () => {
  const transport = new LoopTransport({}, { maxBatchesInFlight: 1 });
  transport.loops = false;
  const me = await connect({ transport, topic: 't', self: { role: 'r' }, retry: { maxAttempts: 1 } });
  openOnes.push(me);
  let refuse = (_: unknown) => {};
  transport.onPublish = () =>
    new Promise((_, reject) => {
      refuse = reject;
    });
  const refused = me.publish({ type: 'x', data: 'refused' });
  await vi.waitFor(() => expect(transport.sent).toHaveLength(1));
  const changing = { at: 1, text: ',"sequence":"no number"' };
  let reads = 0;
  const once = {
    toJSON: () => {
      if (++reads > 1) throw new Error('read again');
      return 'once';
    },
  };
  const taken = [me.publish({ type: 'x', data: changing }), me.publish({ type: 'x', data: once })];
  const expected = { ...changing };
  changing.at = 2;
  transport.onPublish = () => {};
  refuse(new PolycastError('payload-too-large', 'as the test says'));
  await expect(refused).rejects.toMatchObject({ code: 'payload-too-large' });
  await Promise.all(taken);
  const sent = transport.sent.flat().map(({ encoded }) => JSON.parse(encoded.json));
  expect(sent.map(({ data }) => data)).toEqual(['refused', expected, 'once']);
  expect(sent[1].sequence).toBe(sent[0].sequence);
});
