import type { BroadcastEvent } from '@polycast/core';
import { check, same, show } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import { randomBytes } from '../random.ts';

/** Raw messages that are no event. */
const CORRUPT: readonly (readonly [string, string | Uint8Array | ((c: CaseContext) => Uint8Array)])[] = [
  ['empty', ''],
  ['text', 'hello there'],
  ['half-an-object', '{"specversion":"1.0","type":"order","id":"1",'],
  ['null', 'null'],
  ['number', '42'],
  ['text-in-json', '"order"'],
  ['object-without-attributes', '{}'],
  ['no-type', '{"specversion":"1.0","id":"1","source":"/x"}'],
  ['no-id', '{"specversion":"1.0","type":"order","source":"/x"}'],
  ['type-no-text', '{"specversion":"1.0","type":7,"id":"1","source":"/x"}'],
  ['unknown-version', '{"specversion":"7.3","type":"order","id":"1","source":"/x"}'],
  ['attribute-an-object', '{"specversion":"1.0","type":"order","id":"1","source":"/x","table":{"n":1}}'],
  ['data-twice', '{"specversion":"1.0","type":"order","id":"1","source":"/x","data":1,"data_base64":"AA=="}'],
  ['bad-base64', '{"specversion":"1.0","type":"order","id":"1","source":"/x","data_base64":"***"}'],
  ['bad-expiry', '{"specversion":"1.0","type":"order","id":"1","source":"/x","expirytime":"soon"}'],
  ['no-utf8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0xc3, 0x28, 0x22, 0x7d])],
  ['random-bytes', (c) => randomBytes(c.random, 500)],
  [
    'nested-ten-thousand-deep',
    `{"specversion":"1.0","type":"order","id":"1","source":"/x","data":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
  ],
  [
    'thousands-of-attributes',
    `{"specversion":"1.0","type":"order","id":"1","source":"/x"${Array.from({ length: 5_000 }, (_, n) => `,"a${n}":1`).join('')}}`,
  ],
];

/** Events of strangers, and the data they must bring. */
const FOREIGN: readonly (readonly [string, string, unknown])[] = [
  ['minimal', '{"specversion":"1.0","type":"order","id":"1","source":"/x"}', undefined],
  [
    'with-data',
    '{"specversion":"1.0","type":"order","id":"1","source":"https://example.com","data":{"soup":["ö",1]}}',
    { soup: ['ö', 1] },
  ],
  [
    'with-spaces',
    '\n { "data" : [ 1 , 2 ] , "source" : "/x" , "id" : "1" , "type" : "order" , "specversion" : "1.0" } \n',
    [1, 2],
  ],
  ['escaped', '{"specversion":"1.0","type":"order","id":"1","source":"/x","data":"\\u00fc\\ud83c\\udf5c\\n"}', 'ü🍜\n'],
  [
    'with-bytes',
    '{"specversion":"1.0","type":"order","id":"1","source":"/x","data_base64":"AQL/"}',
    new Uint8Array([1, 2, 255]),
  ],
  [
    'with-extensions',
    '{"specversion":"1.0","type":"order","id":"1","source":"/x","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","sequence":"abc","data":1}',
    1,
  ],
  [
    'with-null-attributes',
    '{"specversion":"1.0","type":"order","id":"1","source":"/x","subject":null,"data":null}',
    null,
  ],
];

/** Injects, then proves by a good event that the subscription goes on; @returns what was delivered beside it */
async function injected(c: CaseContext, raw: string | Uint8Array) {
  const desk = await c.join('desk');
  const kitchen = await c.join('kitchen');
  const inbox = await c.listen(kitchen);
  await c.faults.inject(c.topic, raw);
  await desk.publish({ type: 'order', data: 'good' });
  await c.fence(desk, [inbox]);
  return inbox;
}

/** The data of an event, or what stands for data that is refused when it is read. */
function read(event: BroadcastEvent): unknown {
  try {
    return event.data;
  } catch {
    return 'refused';
  }
}

export const hostileCases: readonly ConformanceCase[] = [
  ...CORRUPT.map(
    ([name, raw]): ConformanceCase => ({
      id: `hostile/${name}`,
      clause: 'faults.12',
      title: `on the wire: ${name.replaceAll('-', ' ')}`,
      requires: { capabilities: ['everyone'] },
      needs: ['inject'],
      async run(c) {
        const inbox = await injected(c, typeof raw === 'function' ? raw(c) : raw);
        const data = inbox.received.map(({ event }) => read(event));
        same(data, ['good'], 'what was delivered');
        const corrupt = inbox.signals.filter((signal) => signal.kind === 'corrupt');
        check(corrupt.length > 0, `no corrupt signal; signals: ${show(inbox.signals)}`);
        check(
          corrupt.every((signal) => signal.kind === 'corrupt' && signal.error.code === 'corrupt-event'),
          `another code: ${show(corrupt)}`,
        );
      },
    }),
  ),
  ...FOREIGN.map(
    ([name, raw, data]): ConformanceCase => ({
      id: `hostile/stranger-${name}`,
      clause: 'faults.13',
      title: `an event from other software: ${name.replaceAll('-', ' ')}`,
      requires: { capabilities: ['everyone'] },
      needs: ['inject'],
      async run(c) {
        const inbox = await injected(c, raw);
        same(inbox.data, [data, 'good'], 'what was delivered');
        const { id, type } = inbox.received[0]!.event;
        same([id, type], ['1', 'order'], 'id and type');
      },
    }),
  ),
  {
    id: 'hostile/flood',
    clause: 'faults.12',
    title: 'two hundred corrupt messages between valid ones',
    requires: { capabilities: ['everyone'] },
    needs: ['inject'],
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      for (let n = 0; n < 200; n++) {
        await c.faults.inject(c.topic, randomBytes(c.random, n));
        if (n % 20 === 0) await desk.publish({ type: 'order', data: n });
      }
      await c.fence(desk, [inbox]);
      same(
        inbox.data,
        Array.from({ length: 10 }, (_, n) => n * 20),
        'what was delivered',
      );
    },
  },
  {
    id: 'hostile/good-beside-bad-in-a-batch',
    clause: 'faults.12',
    title: 'an invalid event in a JSON batch does not affect the other events',
    requires: { capabilities: ['everyone'] },
    needs: ['inject'],
    async run(c) {
      const event = (id: string) => `{"specversion":"1.0","type":"order","id":"${id}","source":"/x","data":"${id}"}`;
      const inbox = await injected(c, `[${event('a')},{"specversion":"1.0"},7,${event('b')}]`);
      same(inbox.data, ['a', 'b', 'good'], 'what was delivered');
      check(
        inbox.signals.some(({ kind }) => kind === 'corrupt'),
        'no corrupt signal',
      );
    },
  },
  {
    id: 'hostile/prototypes',
    clause: 'faults.14',
    title: 'attributes and data named __proto__ and constructor',
    requires: { capabilities: ['everyone'] },
    needs: ['inject'],
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const head = '"specversion":"1.0","type":"order","source":"/x"';
      for (const raw of [
        `{${head},"id":"1","__proto__":{"polluted":1}}`,
        `{"__proto__":{"polluted":1},${head},"id":"2","data":1}`,
        `{${head},"id":"3","data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}`,
        `{${head},"id":"4","constructor":{"prototype":{"polluted":1}}}`,
        `[{${head},"id":"5","data":[{"__proto__":{"polluted":1}}]}]`,
      ]) {
        await c.faults.inject(c.topic, raw);
      }
      await desk.publish({ type: 'order', data: 'good' });
      await c.fence(desk, [inbox]);
      check(
        inbox.received.some(({ event }) => read(event) === 'good'),
        'the subscription did not go on',
      );
      check(({} as Record<string, unknown>).polluted === undefined, 'Object.prototype was changed');
      for (const { event } of inbox.received) {
        check((event as Record<string, unknown>).polluted === undefined, 'the prototype of an event was changed');
        const data = read(event) as Record<string, unknown> | string | null | undefined;
        check(
          typeof data !== 'object' || data === null || data.polluted === undefined,
          'the prototype of data was changed',
        );
      }
    },
  },
  {
    id: 'hostile/group',
    clause: 'faults.12',
    title: 'a corrupt message is not redelivered to a group for ever',
    requires: { capabilities: ['everyone', 'groups'] },
    needs: ['inject'],
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('worker'), { group: 'g', retry: { baseMs: 1, maxMs: 2 } });
      await c.faults.inject(c.topic, 'no event');
      await desk.publish({ type: 'job', data: 'good' });
      await c.fence(desk, [inbox], { group: true });
      same(inbox.data, ['good'], 'what was delivered');
      await c.quiet();
      same(inbox.signals.filter(({ kind }) => kind === 'corrupt').length, 1, 'corrupt signals');
    },
  },
];
