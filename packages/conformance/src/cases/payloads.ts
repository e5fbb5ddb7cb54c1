import { check, refused, same } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import { randomBytes } from '../random.ts';

const requires = { capabilities: ['everyone'] } as const;

/** What JSON would carry as something else, and where it stands. */
const NOT_JSON: readonly (readonly [string, unknown, string])[] = [
  ['typed array', new Uint16Array([1, 2]), 'data'],
  ['typed array inside', { a: [new Float64Array(2)] }, 'data.a[0]'],
  ['map', { m: new Map() }, 'data.m'],
  ['bigint', [1n], 'data[0]'],
  ['not-a-number', { n: Number.NaN }, 'data.n'],
  ['buffer', { b: new ArrayBuffer(2) }, 'data.b'],
];

const VALUES: readonly (readonly [string, string, unknown])[] = [
  ['text', 'payloads.1', 'soup'],
  ['empty-text', 'payloads.1', ''],
  ['text-that-looks-like-json', 'payloads.1', '{"a":[1,null]}'],
  ['text-with-escapes', 'payloads.1', 'tab\t newline\n return\r quote" backslash\\ slash/ bell\u0007'],
  ['zero', 'payloads.1', 0],
  ['numbers', 'payloads.1', [1, -1, 0.1, -2.5e-9, 1e21, 2 ** 53 - 1, -(2 ** 53 - 1), 5e-324, 1.7976931348623157e308]],
  ['booleans', 'payloads.1', [true, false]],
  ['true', 'payloads.1', true],
  ['false', 'payloads.1', false],
  ['null', 'payloads.1', null],
  ['empty-object', 'payloads.1', {}],
  ['empty-array', 'payloads.1', []],
  ['nested', 'payloads.1', { a: { b: [{ c: null }, [[], {}]] }, '': { ' ': 1 } }],
  ['deep', 'payloads.1', deep(60)],
  ['thousand-items', 'payloads.1', Array.from({ length: 1_000 }, (_, n) => ({ n, text: `item ${n}` }))],
  [
    'names-of-attributes',
    'payloads.1',
    { id: 1, type: 2, source: 3, specversion: 4, data: 5, data_base64: 6, to: 7, sequence: 8 },
  ],
  [
    'names-of-methods',
    'payloads.1',
    JSON.parse('{"toString":1,"constructor":2,"hasOwnProperty":3,"toJSON":4,"valueOf":5,"then":6}'),
  ],
  ['no-data', 'payloads.2', undefined],
  ['unicode', 'payloads.3', 'ÄÖÜß Ελληνικά русский עברית العربية हिन्दी 中文 日本語 한국어'],
  ['astral', 'payloads.3', '😀👩‍👩‍👧‍👦🏳️‍🌈𝒳𐍈\u{10FFFF}'],
  ['combining', 'payloads.3', ['e\u0301', '\u00e9', '\u200b\u200d\ufeff\u202e']],
  ['line-separators', 'payloads.3', 'a\u2028b\u2029c\u0085d'],
  ['null-character', 'payloads.3', 'a\u0000b\u0001c\u001fd\u007f'],
  ['unicode-names', 'payloads.3', { schlüssel: 1, 鍵: 2, '🔑': 3 }],
  ['bytes-empty', 'payloads.4', new Uint8Array(0)],
  ['bytes-one', 'payloads.4', new Uint8Array([0])],
  ['bytes-all', 'payloads.4', Uint8Array.from({ length: 256 }, (_, n) => n)],
  ['bytes-no-utf8', 'payloads.4', new Uint8Array([0xff, 0xfe, 0xc3, 0x28, 0x80, 0xed, 0xa0, 0x80])],
  ['bytes-part-of-a-buffer', 'payloads.4', new Uint8Array([9, 9, 1, 2, 3, 9]).subarray(2, 5)],
];

const SIZES: readonly (readonly [string, number])[] = [
  ['1-kilobyte', 1_000],
  ['64-kilobytes', 64_000],
  ['200-kilobytes', 200_000],
  ['one-megabyte', 1_000_000],
];

function deep(levels: number): unknown {
  let value: unknown = 'end';
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { inner: value };
  return value;
}

export const payloadCases: readonly ConformanceCase[] = [
  ...VALUES.map(
    ([name, clause, value]): ConformanceCase => ({
      id: `payloads/${name}`,
      clause,
      title: `arrives as published: ${name.replaceAll('-', ' ')}`,
      requires: clause === 'payloads.4' ? { capabilities: ['everyone', 'binary'] } : requires,
      async run(c) {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen'));
        await desk.publish(value === undefined ? { type: 'order' } : { type: 'order', data: value });
        await inbox.until(1);
        same(inbox.data, [value], 'data');
        check(!(value instanceof Uint8Array) || inbox.data[0] instanceof Uint8Array, 'bytes did not arrive as bytes');
      },
    }),
  ),
  {
    id: 'payloads/unicode-attributes',
    clause: 'payloads.3',
    title: 'attributes can contain any script',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const subject = 'Tisch „7“ 🍜 中文 עברית, 100 % = "ja" \\ /';
      await desk.publish({ type: 'küche.bestellung', subject, note: subject, id: '№ 7/ü' });
      await inbox.until(1);
      const { type, subject: arrived, note, id } = inbox.received[0]!.event;
      same([type, arrived, note, id], ['küche.bestellung', subject, subject, '№ 7/ü'], 'attributes');
    },
  },
  {
    id: 'payloads/bytes-many',
    clause: 'payloads.4',
    title: 'random byte arrays of many lengths',
    requires: { capabilities: ['everyone', 'binary'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const pieces = Array.from({ length: 40 }, (_, n) => randomBytes(c.random, n * 7));
      for (const data of pieces) await desk.publish({ type: 'order', data });
      await inbox.expect(pieces);
      const types = new Set(inbox.received.map(({ event }) => event.datacontenttype));
      same([...types], ['application/octet-stream'], 'content types');
    },
  },
  {
    id: 'payloads/bytes-with-content-type',
    clause: 'payloads.4',
    title: 'bytes keep their content type',
    requires: { capabilities: ['everyone', 'binary'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const data = randomBytes(c.random, 100);
      await desk.publish({ type: 'order', data, datacontenttype: 'image/png' });
      await inbox.until(1);
      same([inbox.data[0], inbox.received[0]!.event.datacontenttype], [data, 'image/png'], 'bytes and type');
    },
  },
  ...SIZES.map(
    ([name, size]): ConformanceCase => ({
      id: `payloads/${name}`,
      clause: 'payloads.5',
      title: `a string of ${name.replace('-', ' ')} arrives complete, if the limit allows`,
      requires,
      async run(c) {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen'));
        const room = c.manifest.limits.maxEventBytes - 2_000;
        const data = `<${'ü'.repeat(Math.floor(Math.min(size, room) / 2) - 2)}>`;
        await desk.publish({ type: 'order', data });
        await inbox.until(1);
        check(
          inbox.data[0] === data,
          `got ${String(inbox.data[0]).length} characters instead of ${data.length}, or others`,
        );
      },
    }),
  ),
  {
    id: 'payloads/bytes-large',
    clause: 'payloads.5',
    title: 'large binary data arrives complete, if the limit allows',
    requires: { capabilities: ['everyone', 'binary'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const data = randomBytes(
        c.random,
        Math.min(300_000, Math.floor((c.manifest.limits.maxEventBytes - 2_000) * 0.7)),
      );
      await desk.publish({ type: 'order', data });
      await inbox.expect([data]);
    },
  },
  {
    id: 'payloads/just-below-the-limit',
    clause: 'payloads.5',
    title: 'an event slightly smaller than the stated limit is accepted and arrives',
    requires: { capabilities: ['everyone'], sizeLimit: true },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const data = 'x'.repeat(c.manifest.limits.maxEventBytes - 1_000);
      await desk.publish({ type: 'order', data });
      await inbox.until(1);
      check(inbox.data[0] === data, 'the text is not what was published');
    },
  },
  {
    id: 'payloads/prototypes',
    clause: 'payloads.6',
    title: 'data with properties named __proto__ or constructor modifies no prototype',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const texts = [
        '{"__proto__":{"polluted":1}}',
        '{"constructor":{"prototype":{"polluted":1}}}',
        '{"a":{"__proto__":{"polluted":1}}}',
        '[{"__proto__":{"polluted":1}}]',
      ];
      let sent = 0;
      for (const text of texts) {
        // A transport may refuse such data, but not deliver it into a prototype.
        await desk.publish({ type: 'order', data: JSON.parse(text) }).then(
          () => sent++,
          () => {},
        );
      }
      await c.fence(desk, [inbox]);
      same(inbox.count, sent, 'deliveries');
      for (const data of inbox.data) {
        check(({} as Record<string, unknown>).polluted === undefined, 'Object.prototype was changed');
        check((data as Record<string, unknown>).polluted === undefined, 'the prototype of the data was changed');
      }
    },
  },
  {
    id: 'payloads/chunked',
    clause: 'payloads.7',
    title: 'an event of several times the limit arrives complete, once',
    requires: { capabilities: ['everyone', 'chunking'], sizeLimit: true },
    async run(c) {
      const desk = await c.join('desk', { chunking: true });
      const inbox = await c.listen(await c.join('kitchen', { chunking: true }));
      const data = Array.from(randomBytes(c.random, Math.ceil(c.manifest.limits.maxEventBytes * 1.5)), (byte) =>
        String.fromCharCode(97 + (byte % 26)),
      ).join('');
      await desk.publish({ type: 'order', data });
      await desk.publish({ type: 'order', data: 'small' });
      await c.fence(desk, [inbox]);
      check(inbox.data.includes(data), 'the large event did not arrive whole');
      same(inbox.count, 2, 'deliveries');
    },
  },
  {
    id: 'payloads/json-format',
    clause: 'payloads.8',
    title: 'toJSON returns CloudEvents JSON for JSON data, bytes and no data',
    requires,
    async run(c) {
      const desk = await c.join('desk/desk-1');
      const inbox = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'order', id: 'a', subject: 's', table: 7, data: { soup: 1 } });
      await desk.publish({ type: 'order', id: 'b' });
      await inbox.until(2);
      const [one, two] = inbox.received.map(({ event }) => event.toJSON());
      // Left out, the content type is JSON: section 3.1 of the JSON event format.
      const { specversion, type, id, source, subject, table, data, datacontenttype = 'application/json' } = one!;
      same(
        { specversion, type, id, source, subject, table, data, datacontenttype },
        {
          specversion: '1.0',
          type: 'order',
          id: 'a',
          source: '/desk/desk-1',
          subject: 's',
          table: 7,
          data: { soup: 1 },
          datacontenttype: 'application/json',
        },
        'the first',
      );
      check(!('data' in two!) && !('data_base64' in two!), 'an event without data shows data');
      if (c.manifest.capabilities.binary.level === 'none') return;
      await desk.publish({ type: 'order', id: 'c', data: new Uint8Array([1, 2, 255]) });
      await inbox.until(3);
      same(inbox.received[2]!.event.toJSON().data_base64, 'AQL/', 'bytes');
    },
  },
  ...NOT_JSON.map(
    ([name, value, path]): ConformanceCase => ({
      id: `payloads/refuses-${name.replaceAll(' ', '-')}`,
      clause: 'payloads.9',
      title: `data that contains a ${name} is rejected, and nothing is sent`,
      requires: { capabilities: ['everyone'] },
      async run(c) {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen'));
        const error = await refused(() => desk.publish({ type: 'order', data: value }), ['invalid-payload'], 'publish');
        check(error.message.includes(path), `the path ${path} is named: ${error.message}`);
        await c.fence(desk, [inbox]);
        same(inbox.count, 0, 'deliveries');
      },
    }),
  ),
  {
    id: 'payloads/buffer',
    clause: 'payloads.9',
    title: 'a subclass of Uint8Array arrives as a plain Uint8Array',
    requires: { capabilities: ['everyone', 'binary'] },
    async run(c) {
      class Bytes extends Uint8Array {}
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'photo', data: Bytes.of(0, 1, 255) });
      await inbox.until(1);
      const data = inbox.data[0] as object;
      same(
        [Object.getPrototypeOf(data) === Uint8Array.prototype, [...(data as Uint8Array)]],
        [true, [0, 1, 255]],
        'data',
      );
    },
  },
];
