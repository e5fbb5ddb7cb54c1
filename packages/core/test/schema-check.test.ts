import * as v from 'valibot';
import { expect, expectTypeOf, test, vi } from 'vitest';
import { z } from 'zod';
import { connect, type Signal } from '../src/index.ts';
import { LoopTransport, stranger } from './loop-transport.ts';

const schemas = {
  'order.moved': z.object({ order: z.number(), at: z.string().transform((text) => new Date(text)) }),
  'order.gone': v.object({ order: v.number() }),
};

async function open() {
  const transport = new LoopTransport();
  const signals: Signal[] = [];
  const me = await connect({
    transport,
    topic: 't',
    schemas,
    carbonCopy: true,
    onSignal: (signal) => signals.push(signal),
  });
  return { transport, me, signals };
}

test('publishing takes what the schema takes, handlers get what it makes', async () => {
  const { transport, me } = await open();
  const seen: unknown[] = [];
  await me.subscribe((event) => {
    if (event.type === 'order.moved') {
      expectTypeOf(event.data).toEqualTypeOf<{ order: number; at: Date }>();
      seen.push(event.data.at);
    }
  });
  await me.publish({ type: 'order.moved', data: { order: 1, at: '2026-11-21T00:00:00Z' } });
  expect(seen).toEqual([new Date('2026-11-21T00:00:00Z')]);
  expect(transport.sent[0]?.[0]?.event.data).toEqual({ order: 1, at: '2026-11-21T00:00:00Z' });
  // @ts-expect-error: a number is asked for
  await expect(me.publish({ type: 'order.gone', data: { order: 'x' } })).rejects.toMatchObject({
    code: 'schema-mismatch',
  });
  expect(transport.sent.length).toBe(1);
  await me.close();
});

test('what does not fit is set aside at once with the reason', async () => {
  const { transport, me, signals } = await open();
  const handler = vi.fn();
  await me.subscribe(handler);
  transport.receive(stranger({ order: 'x' }, { type: 'order.gone' }));
  await vi.waitFor(() =>
    expect(signals).toMatchObject([{ kind: 'dead-lettered', attempts: 1, reason: expect.stringContaining('order') }]),
  );
  expect(handler).not.toHaveBeenCalled();
  await me.close();
});

test('a retried handler gets data that was transformed once', async () => {
  const { transport, me } = await open();
  const seen: unknown[] = [];
  await me.subscribe(
    (event, delivery) => {
      seen.push(event.data);
      if (delivery.attempt === 1) throw new Error('again');
    },
    { retry: { baseMs: 1 } },
  );
  transport.receive(stranger({ order: 1, at: '2026-11-21T00:00:00Z' }, { type: 'order.moved' }));
  const data = { order: 1, at: new Date('2026-11-21T00:00:00Z') };
  await vi.waitFor(() => expect(seen).toEqual([data, data]));
  await me.close();
});
