import { afterEach, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { memory } from '../../memory/src/index.ts';
import type { EventOf, UnknownEvent } from '../src/contract/contract.ts';
import { type Broadcaster, connect, type Middleware, type Signal } from '../src/index.ts';

/** Requests and replies are typed and checked as events are. */

const schemas = { sum: z.object({ a: z.number(), b: z.number() }), tick: z.number() };
const replies = { sum: z.object({ is: z.number(), at: z.iso.datetime().transform((text) => new Date(text)) }) };
const AT = '2026-12-01T12:00:00Z';

const openOnes: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close()));
});

let topics = 0;

async function pair(middleware: Middleware[] = []) {
  const topic = `replies-${topics++}`;
  const signals: Signal[] = [];
  const asker = await connect({
    transport: memory(),
    topic,
    schemas,
    replies,
    middleware,
    onSignal: (signal) => signals.push(signal),
  });
  const answerer = await connect({ transport: memory(), topic, schemas, replies });
  /** Knows no schemas. */
  const stranger: Broadcaster = await connect({ transport: memory(), topic });
  openOnes.push(asker, answerer, stranger);
  return { asker, answerer, stranger, signals };
}

test('a requester gets what the schema makes of a reply, typed', async () => {
  const { asker, answerer } = await pair();
  await answerer.on('sum', async ({ data }, delivery) => {
    expectTypeOf(delivery.reply).parameter(0).toEqualTypeOf<{ is: number; at: string }>();
    await delivery.reply({ is: data.a + data.b, at: AT });
  });
  const [reply] = await asker.request({ type: 'sum', data: { a: 1, b: 2 } }, { maxReplies: 1 });
  expectTypeOf(reply!.data).toEqualTypeOf<{ is: number; at: Date }>();
  expect(reply?.data).toEqual({ is: 3, at: new Date(AT) });
  for await (const { data } of asker.request({ type: 'sum', data: { a: 1, b: 2 } }, { maxReplies: 1 })) {
    expectTypeOf(data.at).toEqualTypeOf<Date>();
  }
});

test('a reply that does not fit is refused where it is given, and the handler hears of it', async () => {
  const { asker, answerer } = await pair();
  const refused: unknown[] = [];
  await answerer.on('sum', async (_, delivery) => {
    // @ts-expect-error: a number and a time are asked for
    await delivery.reply({ is: 'three' }).catch((thrown) => refused.push(thrown));
    await delivery.reply({ is: 3, at: AT });
  });
  expect(await asker.request({ type: 'sum', data: { a: 1, b: 2 } }, { maxReplies: 1 })).toHaveLength(1);
  const message = expect.stringContaining('the reply to sum: data.is:');
  expect(refused).toMatchObject([{ code: 'schema-mismatch', message }]);
});

test('one from a program that knows no schema is dropped, counted and signalled; the others count', async () => {
  const { asker, answerer, stranger, signals } = await pair();
  await stranger.subscribe((_, delivery) => delivery.reply({ is: 'three' }));
  await answerer.on('sum', (_, delivery) => delivery.reply({ is: 3, at: AT }));
  const answers = await asker.request({ type: 'sum', data: { a: 1, b: 2 } }, { maxReplies: 1 });
  expect(answers.map(({ data }) => data.is)).toEqual([3]);
  expect(signals).toMatchObject([{ kind: 'corrupt', error: { code: 'schema-mismatch' } }]);
  expect(asker.dropped.corrupt).toBe(1);
});

test('a request is checked and wrapped as a publish is', async () => {
  const seen: unknown[] = [];
  const { asker, answerer } = await pair([
    {
      publish: (event, _context, next) => {
        seen.push(event.type);
        return next({ ...event, subject: 'wrapped' });
      },
    },
  ]);
  const subjects: unknown[] = [];
  await answerer.on('sum', async (event, delivery) => {
    subjects.push(event.subject);
    await delivery.reply({ is: 3, at: AT });
  });
  // @ts-expect-error: numbers are asked for
  const wrong = asker.request({ type: 'sum', data: { a: 'one', b: 2 } }, { maxReplies: 1 });
  await expect(wrong).rejects.toMatchObject({ code: 'schema-mismatch' });
  await asker.request({ type: 'sum', data: { a: 1, b: 2 } }, { maxReplies: 1 });
  expect([seen, subjects]).toEqual([['sum', 'sum'], ['wrapped']]);
});

test('schemas that throw, wait and lie end as coded errors', async () => {
  const odd = (validate: (value: unknown) => unknown) =>
    ({ '~standard': { version: 1, vendor: 'test', validate } }) as unknown as (typeof schemas)['tick'];
  const topic = `replies-${topics++}`;
  const options = {
    transport: memory(),
    topic,
    replies: {
      throws: odd(() => {
        throw new Error('broken');
      }),
      waits: odd(async (value) => ({ value })),
      lies: odd(() => 7),
    },
  };
  const signals: Signal[] = [];
  const asker = await connect({ ...options, onSignal: (signal) => signals.push(signal) });
  const answerer = await connect(options);
  const stranger = await connect({ transport: memory(), topic });
  openOnes.push(asker, answerer, stranger);
  const outcomes: unknown[] = [];
  await answerer.subscribe(async (event, delivery) => {
    outcomes.push(
      await delivery.reply(1).then(
        () => event.type,
        (thrown) => thrown.code,
      ),
    );
  });
  for (const type of ['throws', 'lies']) await asker.request({ type }, { timeoutMs: 50 });
  expect((await asker.request({ type: 'waits' }, { maxReplies: 1 })).map(({ data }) => data)).toEqual([1]);
  expect(outcomes).toEqual(['schema-mismatch', 'schema-mismatch', 'waits']);
  await stranger.subscribe((_, delivery) => delivery.reply(1));
  for (const type of ['throws', 'lies']) await asker.request({ type }, { timeoutMs: 50 });
  expect(signals.map((signal) => signal.kind === 'corrupt' && signal.error.code)).toEqual([
    'schema-mismatch',
    'schema-mismatch',
  ]);
});

test.each([
  [{ sum: 'number' }, 'replies: the schema of "sum" does not implement Standard Schema (https://standardschema.dev)'],
  [7, 'replies must map event types to schemas'],
])('replies that are not schemas are refused when connecting: %j', async (odd, message) => {
  const connecting = connect({ transport: memory(), topic: 't', replies: odd as never });
  await expect(connecting).rejects.toMatchObject({ name: 'TypeError', message });
});

test('replies are typed without schemas for requests, too', async () => {
  const topic = `replies-${topics++}`;
  const asker = await connect({ transport: memory(), topic, replies });
  const answerer = await connect({ transport: memory(), topic, replies });
  openOnes.push(asker, answerer);
  await answerer.on('sum', async (_, delivery) => {
    expectTypeOf(delivery.reply).parameter(0).toEqualTypeOf<{ is: number; at: string }>();
    await delivery.reply({ is: 3, at: AT });
  });
  const [reply] = await asker.request({ type: 'sum', data: 'anything' }, { maxReplies: 1 });
  expectTypeOf(reply!.data).toEqualTypeOf<{ is: number; at: Date }>();
  expect(reply?.data).toEqual({ is: 3, at: new Date(AT) });
});

test('an event of an unknown type is in the union: nothing checks what others publish', () => {
  type Received = EventOf<{ a: number; b: string }>;
  const of = (event: Received) => {
    switch (event.type) {
      case 'a':
        expectTypeOf(event.data).toEqualTypeOf<number>();
        return event.data;
      case 'b':
        expectTypeOf(event.data).toEqualTypeOf<string>();
        return event.data;
      default:
        expectTypeOf(event).toEqualTypeOf<UnknownEvent>();
        expectTypeOf(event.data).toEqualTypeOf<unknown>();
        return event.type satisfies string;
    }
  };
  expect(of({ type: 'c' } as never)).toBe('c');
});
