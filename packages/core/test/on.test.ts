import { memory } from '@polycast/memory';
import { afterEach, expect, expectTypeOf, test, vi } from 'vitest';
import { compileFilter } from '../src/filter.ts';
import { type Broadcaster, connect } from '../src/index.ts';
import { LoopTransport } from './loop-transport.ts';

/** `on(type, handler)`: a subscription to events of one type. */

type Orders = { 'order.moved': { order: number }; 'order.lost': { order: number; why: string } };

const openOnes: { close(): Promise<void> }[] = [];
let hubs = 0;

async function open(): Promise<Broadcaster<Orders>> {
  const me = await connect<Orders>({ transport: memory({ hub: `on-${++hubs}` }), topic: 't', carbonCopy: true });
  openOnes.push(me);
  return me;
}

afterEach(async () => {
  await Promise.all(openOnes.splice(0).map((one) => one.close()));
});

const odd = (value: unknown) => value as never;

test('hands over events of its type alone, and types them', async () => {
  const me = await open();
  const moved = vi.fn();
  const subscription = await me.on('order.moved', (event, delivery) => {
    expectTypeOf(event.type).toEqualTypeOf<'order.moved'>();
    expectTypeOf(event.data).toEqualTypeOf<{ order: number }>();
    expectTypeOf(delivery.event.data).toEqualTypeOf<{ order: number }>();
    moved(event.data);
  });
  await me.publish({ type: 'order.lost', data: { order: 1, why: 'x' } });
  await me.publish({ type: 'order.moved', data: { order: 2 } });
  expect(moved.mock.calls).toEqual([[{ order: 2 }]]);
  // @ts-expect-error no event has this type
  await (await me.on('order.mvoed', () => {})).close();
  expect(subscription.state).toBe('open');
});

test.each([
  ['CESQL', "region = 'west'"],
  ['a dialect', { exact: { region: 'west' } }],
  [
    'a compiled filter with functions of its own',
    compileFilter('WESTERN(region)', {
      functions: {
        WESTERN: (region: unknown) => region === 'west',
      } as never,
    }),
  ],
])('a filter narrows it: %s', async (_, filter) => {
  const me = await open();
  const handler = vi.fn();
  await me.on('order.moved', (event) => handler(event.data.order), { filter: filter as never, concurrency: 2 });
  await me.publish({ type: 'order.moved', data: { order: 1 }, region: 'east' } as never);
  await me.publish({ type: 'order.lost', data: { order: 2, why: 'x' }, region: 'west' } as never);
  await me.publish({ type: 'order.moved', data: { order: 3 }, region: 'west' } as never);
  await vi.waitFor(() => expect(handler.mock.calls).toEqual([[3]]));
});

test('the service is asked for events of the type', async () => {
  const transport = new LoopTransport({ filterPushDown: 'native' });
  const pushed: unknown[] = [];
  const filterTarget = {
    name: 'x',
    title: 'X',
    push: (condition: unknown) => {
      pushed.push(condition);
      return { native: 'pushed', text: '', residual: condition, reasons: [], accepts: () => true };
    },
  };
  const me = await connect({ transport: Object.assign(transport, { filterTarget }) as never, topic: 't' });
  openOnes.push(me);
  await me.on("it's 100%", () => {});
  expect(pushed).toEqual([compileFilter({ exact: { type: "it's 100%" } }).condition]);
  expect(transport.sinks.some(({ request }) => request.filter === 'pushed')).toBe(true);
});

test.each([
  [undefined, () => {}],
  [5, () => {}],
  [() => {}, undefined],
  ['order.moved', undefined],
  ['order.moved', { group: 'a' }],
])('on(%s, %s) is refused', async (type, handler) => {
  const me = await open();
  await expect(me.on(odd(type), odd(handler))).rejects.toThrow(
    new TypeError('on() takes a type and a handler function'),
  );
});

test('its options are those of subscribe, and it is refused after close', async () => {
  const me = await open();
  await expect(me.on('order.moved', () => {}, odd({ grop: 'a' }))).rejects.toThrow('did you mean "group"');
  await expect(me.on(odd(''), () => {})).rejects.toMatchObject({ code: 'invalid-filter' });
  await me.close();
  await expect(me.on('order.moved', () => {})).rejects.toMatchObject({ code: 'closed' });
});

test('with schemas the data is what the schema makes of it', async () => {
  const schema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) => ({ value: Number(value) }),
      types: undefined as unknown as { input: string; output: number },
    },
  } as const;
  const me = await connect({
    transport: memory({ hub: `on-${++hubs}` }),
    topic: 't',
    carbonCopy: true,
    schemas: { age: schema },
  });
  openOnes.push(me);
  const handler = vi.fn();
  await me.on('age', (event) => {
    expectTypeOf(event.data).toEqualTypeOf<number>();
    handler(event.data);
  });
  await me.publish({ type: 'age', data: '7' });
  await vi.waitFor(() => expect(handler.mock.calls).toEqual([[7]]));
});
