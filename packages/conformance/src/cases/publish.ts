import { type EventInput, PolycastError, type PublishOptions, type Signal } from '@polycast/core';
import { check, refused, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import { interfere } from '../interfere.ts';
import { later } from '../wait.ts';

const NOT_EVENTS: readonly (readonly [string, unknown])[] = [
  ['no-object', 'order'],
  ['null', null],
  ['without-type', { data: 1 }],
  ['empty-type', { type: '', data: 1 }],
  ['type-no-text', { type: 7 }],
  ['empty-id', { type: 'order', id: '' }],
  ['empty-source', { type: 'order', source: '' }],
  ['time-no-timestamp', { type: 'order', time: 'yesterday' }],
  ['upper-case-extension', { type: 'order', orderId: 1 }],
  ['dashed-extension', { type: 'order', 'order-id': 1 }],
  ['object-extension', { type: 'order', table: { number: 7 } }],
  ['fraction-extension', { type: 'order', table: 7.5 }],
  ['extension-beyond-32-bits', { type: 'order', table: 2 ** 31 }],
];

function deep(levels: number): unknown {
  let value: unknown = 'end';
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

function cyclic(): unknown {
  const self: Record<string, unknown> = {};
  self.self = self;
  return self;
}

const NOT_PAYLOADS: readonly (readonly [string, () => unknown])[] = [
  ['cycle', cyclic],
  ['bigint', () => ({ price: 10n })],
  ['function', () => () => 1],
  ['symbol', () => Symbol('soup')],
  ['too-deep', () => deep(10_000)],
  [
    'throwing-getter',
    () => ({
      get price() {
        throw new Error('no price');
      },
    }),
  ],
];

const NOT_OPTIONS: readonly (readonly [string, unknown])[] = [
  ['negative-ttl', { ttlMs: -1 }],
  ['ttl-no-number', { ttlMs: Number.NaN }],
  ['ttl-text', { ttlMs: '100' }],
  ['unknown-confirm', { confirm: 'maybe' }],
];

export const publishCases: readonly ConformanceCase[] = [
  {
    id: 'publish/one',
    clause: 'publish.1',
    title: 'a published event is delivered',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'order', data: { soup: 1 } });
      await inbox.expect([{ soup: 1 }]);
    },
  },
  {
    id: 'publish/three-hundred-awaited',
    clause: 'publish.1',
    title: 'each of many awaited publishes is delivered once',
    requires: { capabilities: ['everyone', 'confirm'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      for (let n = 0; n < 300; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [inbox]);
      sameSet(
        inbox.data,
        Array.from({ length: 300 }, (_, n) => n),
        'what arrived',
      );
    },
  },
  {
    id: 'publish/attributes',
    clause: 'publish.2',
    title: 'all attributes arrive as published',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const input = {
        type: 'com.example.order.moved',
        id: 'order-7/move-1',
        source: 'https://example.com/orders?all=yes#top',
        subject: 'order 7',
        time: '2026-02-03T04:05:06.789Z',
        datacontenttype: 'application/json',
        dataschema: 'https://example.com/schemas/order.json',
        text: 'a text',
        whole: 42,
        negative: -2_147_483_648,
        yes: true,
        no: false,
        a1b2c3: 'digits in the name',
        data: { order: 7 },
      };
      await desk.publish(input);
      await inbox.until(1);
      const event = inbox.received[0]!.event;
      for (const [name, value] of Object.entries(input))
        same((event as Record<string, unknown>)[name], value, `attribute ${name}`);
      same(event.specversion, '1.0', 'specversion');
    },
  },
  {
    id: 'publish/defaults',
    clause: 'publish.3',
    title: 'omitted attributes get their defaults',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk/desk-1');
      const inbox = await c.listen(await c.join('kitchen'));
      const before = Date.now();
      await desk.publish({ type: 'order', data: 1 });
      await desk.publish({ type: 'order', data: 2 });
      const after = Date.now();
      await inbox.until(2);
      const [one, two] = inbox.received.map(({ event }) => event);
      same(one!.source, '/desk/desk-1', 'source');
      check(typeof one!.id === 'string' && one!.id.length > 0 && one!.id !== two!.id, `ids ${one!.id} and ${two!.id}`);
      const time = Date.parse(one!.time ?? '');
      check(time >= before - 1 && time <= after + 1, `time ${one!.time} is not when it was published`);
    },
  },
  {
    id: 'publish/unique-ids',
    clause: 'publish.3',
    title: 'ids of several publishers and of a restarted publisher are different',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const inbox = await c.listen(await c.join('kitchen'));
      for (let round = 0; round < 3; round++) {
        const one = await c.join('desk/desk-1');
        const two = await c.join('desk/desk-2');
        for (let n = 0; n < 5; n++) {
          await one.publish({ type: 'order' });
          await two.publish({ type: 'order' });
        }
        await one.close();
        await two.close();
      }
      await inbox.until(30);
      same(new Set(inbox.received.map(({ event }) => `${event.source} ${event.id}`)).size, 30, 'different identities');
    },
  },
  ...NOT_EVENTS.map(
    ([name, input]): ConformanceCase => ({
      id: `publish/refuses-event-${name}`,
      clause: 'publish.4',
      title: `an event that violates CloudEvents is rejected: ${name}`,
      requires: { capabilities: ['everyone'] },
      async run(c) {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen'));
        const codes =
          typeof input === 'object' && input !== null
            ? (['invalid-event'] as const)
            : (['invalid-event', 'TypeError'] as const);
        await refused(() => desk.publish(input as EventInput), codes, 'publish');
        await c.fence(desk, [inbox]);
        same(inbox.data, [], 'nothing is sent');
      },
    }),
  ),
  ...NOT_PAYLOADS.map(
    ([name, make]): ConformanceCase => ({
      id: `publish/refuses-data-${name}`,
      clause: 'publish.5',
      title: `data that cannot be written as JSON is rejected: ${name}`,
      requires: { capabilities: ['everyone'] },
      async run(c) {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen'));
        await refused(() => desk.publish({ type: 'order', data: make() }), ['invalid-payload'], 'publish');
        await c.fence(desk, [inbox]);
        same(inbox.data, [], 'nothing is sent');
      },
    }),
  ),
  {
    id: 'publish/refuses-too-large',
    clause: 'publish.6',
    title: 'an event over the size limit is rejected before anything is sent, and the next event is accepted',
    requires: { capabilities: ['everyone'], sizeLimit: true },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const limit = c.manifest.limits.maxEventBytes;
      await refused(
        () => desk.publish({ type: 'order', data: 'x'.repeat(limit + 1) }),
        ['payload-too-large'],
        'publish',
      );
      await desk.publish({ type: 'order', data: 'small' });
      await c.fence(desk, [inbox]);
      same(inbox.data, ['small'], 'what was sent');
    },
  },
  {
    id: 'publish/unconfirmed',
    clause: 'publish.7',
    title: 'unconfirmed publishes are delivered in order',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const numbers = Array.from({ length: 50 }, (_, n) => n);
      for (const n of numbers) await desk.publish({ type: 'order', data: n }, { confirm: 'none' });
      await c.fence(desk, [inbox]);
      same(inbox.data, numbers, 'what arrived');
    },
  },
  {
    id: 'publish/unconfirmed-does-not-wait',
    clause: 'publish.7',
    title: 'an unconfirmed publish resolves before the transport has answered',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      let answer: () => void = () => {};
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      const slow = interfere(c.transport(), {
        async publish(batch, next) {
          await answered;
          return next(batch);
        },
      });
      const desk = await c.join('desk', { transport: slow });
      const inbox = await c.listen(await c.join('kitchen'));
      await c.within(desk.publish({ type: 'order', data: 1 }, { confirm: 'none' }), 'unconfirmed publish');
      let confirmed = false;
      const confirming = later(
        desk.publish({ type: 'order', data: 2 }).then(() => {
          confirmed = true;
        }),
      );
      await c.quiet();
      check(!confirmed, 'a confirmed publish resolved before the transport answered');
      answer();
      await c.within(confirming, 'confirmed publish');
      await inbox.expect([1, 2]);
    },
  },
  {
    id: 'publish/aborted-before',
    clause: 'publish.8',
    title: 'an aborted publish sends nothing',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      await refused(
        () => desk.publish({ type: 'order', data: 1 }, { abortSignal: AbortSignal.abort() }),
        ['aborted'],
        'publish',
      );
      await desk.publish({ type: 'order', data: 2 }, { abortSignal: new AbortController().signal });
      await c.fence(desk, [inbox]);
      same(inbox.data, [2], 'what was sent');
    },
  },
  {
    id: 'publish/aborted-while-waiting',
    clause: 'publish.8',
    title: 'a publish that waits for the transport can be aborted',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const stuck = interfere(c.transport(), { publish: () => new Promise(() => {}) });
      const desk = await c.join('desk', { transport: stuck });
      const control = new AbortController();
      const waiting = refused(
        () => desk.publish({ type: 'order' }, { abortSignal: control.signal }),
        ['aborted'],
        'publish',
      );
      control.abort();
      await c.within(waiting, 'the aborted publish');
      await c.within(desk.close({ drainMs: 0 }), 'close with a stuck publish');
    },
  },
  {
    id: 'publish/thousand-at-once',
    clause: 'publish.9',
    title: 'a thousand concurrent publishes all arrive once',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { bufferSize: 5_000 });
      const numbers = Array.from({ length: 1_000 }, (_, n) => n);
      await Promise.all(numbers.map((n) => desk.publish({ type: 'order', data: n })));
      await c.fence(desk, [inbox]);
      sameSet(inbox.data, numbers, 'what arrived');
    },
  },
  {
    id: 'publish/many-publishers',
    clause: 'publish.9',
    title: 'twenty publishers at once',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const inbox = await c.listen(await c.join('kitchen'), { bufferSize: 5_000 });
      const desks = await Promise.all(Array.from({ length: 20 }, (_, n) => c.join(`desk/desk-${n}`)));
      const expected: string[] = [];
      await Promise.all(
        desks.map(async (desk, at) => {
          for (let n = 0; n < 25; n++) {
            expected.push(`${at}.${n}`);
            await desk.publish({ type: 'order', data: `${at}.${n}` });
          }
        }),
      );
      for (const desk of desks) await c.fence(desk, [inbox]);
      sameSet(inbox.data, expected, 'what arrived');
    },
  },
  {
    id: 'publish/input-changed-later',
    clause: 'publish.10',
    title: 'changing the input after publishing changes no attribute of the published event',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const input: Record<string, unknown> & { type: string } = {
        type: 'order',
        subject: 'before',
        table: 1,
        data: 'before',
      };
      const publishing = later(desk.publish(input));
      input.type = 'changed';
      input.subject = 'after';
      input.table = 2;
      input.data = 'after';
      input.another = 'x';
      await publishing;
      await inbox.until(1);
      const { type, subject, table, data, another } = inbox.received[0]!.event;
      same([type, subject, table, data, another], ['order', 'before', 1, 'before', undefined], 'the event');
    },
  },
  {
    id: 'publish/nobody-listens',
    clause: 'publish.11',
    title: 'publishing to an empty topic works',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      for (let n = 0; n < 20; n++) await c.within(desk.publish({ type: 'order', data: n }), 'publish to nobody');
      const inbox = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'order', data: 'heard' });
      await inbox.expect(['heard']);
    },
  },
  ...NOT_OPTIONS.map(
    ([name, options]): ConformanceCase => ({
      id: `publish/refuses-option-${name}`,
      clause: 'publish.12',
      title: `invalid options are rejected: ${name}`,
      requires: { capabilities: ['everyone'] },
      async run(c) {
        const desk = await c.join('desk');
        const inbox = await c.listen(await c.join('kitchen'));
        await refused(
          () => desk.publish({ type: 'order' }, options as PublishOptions),
          ['invalid-configuration', 'TypeError'],
          'publish',
        );
        await c.fence(desk, [inbox]);
        same(inbox.data, [], 'nothing is sent');
      },
    }),
  ),
  {
    id: 'publish/transport-refuses',
    clause: 'publish.13',
    title: 'a publish that the transport refuses rejects, or is signalled if unconfirmed',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const full = interfere(c.transport(), {
        publish: async () => {
          throw new PolycastError('storage-full', 'no room');
        },
      });
      const signals: Signal[] = [];
      const desk = await c.join('desk', { transport: full, onSignal: (signal) => signals.push(signal) });
      await refused(() => desk.publish({ type: 'order' }), ['storage-full'], 'publish');
      await desk.publish({ type: 'order' }, { confirm: 'none' });
      await c.until(
        () =>
          signals.some((one) => one.kind === 'failed' && one.what === 'publish' && one.error.code === 'storage-full'),
        'no signal of the failed publish',
      );
    },
  },
  {
    id: 'publish/batch-refused-in-part',
    clause: 'publish.14',
    title: 'only the refused events of a batch reject',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const picky = interfere(c.transport(), {
        async publish(batch, next) {
          const errors = batch.map(({ event }) =>
            event.type === 'bad' ? new PolycastError('throttled', 'not this one') : undefined,
          );
          const good = batch.filter((_, at) => errors[at] === undefined);
          if (good.length > 0) await next(good);
          return errors.some((error) => error !== undefined) ? errors : undefined;
        },
      });
      const desk = await c.join('desk', { transport: picky });
      const inbox = await c.listen(await c.join('kitchen'));
      const outcomes = await c.within(
        Promise.allSettled(
          Array.from({ length: 30 }, (_, n) => desk.publish({ type: n % 3 === 0 ? 'bad' : 'order', data: n })),
        ),
        'thirty publishes',
      );
      same(
        outcomes.map(({ status }) => status),
        outcomes.map((_, n) => (n % 3 === 0 ? 'rejected' : 'fulfilled')),
        'outcomes',
      );
      await c.fence(desk, [inbox]);
      same(
        inbox.data,
        Array.from({ length: 30 }, (_, n) => n).filter((n) => n % 3 !== 0),
        'what arrived',
      );
    },
  },
  {
    id: 'publish/asked-to-wait',
    clause: 'publish.15',
    title: 'after a refusal with a back-off time the event is sent later, or rejects at once if it expires before',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const atMs: number[] = [];
      const error = new PolycastError('throttled', 'slow down', { retryAfterMs: 300 });
      const busy = interfere(c.transport(), {
        publish(batch, next) {
          atMs.push(performance.now());
          return atMs.length === 1 ? Promise.reject(error) : next(batch);
        },
      });
      const desk = await c.join('desk', { transport: busy });
      const inbox = await c.listen(await c.join('kitchen'));
      const first = Promise.resolve(desk.publish({ type: 'order', data: 1 }));
      if (busy.manifest.limits.maxBatchesInFlight === Number.POSITIVE_INFINITY) {
        const told = await first.catch((thrown: unknown) => thrown as PolycastError);
        // Nothing is queued there: the caller waits.
        same((told as PolycastError | undefined)?.retryAfterMs, 300, 'the time to wait of the error');
        return;
      }
      first.catch(() => {});
      await c.until(() => atMs.length === 1, 'nothing is sent');
      await refused(() => desk.publish({ type: 'order', data: 'late' }, { ttlMs: 100 }), ['throttled'], 'publish');
      check(performance.now() - (atMs[0] as number) < 250, 'what expires before the end of the pause rejects at once');
      await Promise.all([first, desk.publish({ type: 'order', data: 2 })]);
      const waitedMs = (atMs[1] as number) - (atMs[0] as number);
      check(waitedMs >= 295, `sent again after ${waitedMs.toFixed(0)} ms instead of 300`);
      await c.fence(desk, [inbox]);
      same(inbox.data, [1, 2], 'what arrived');
    },
  },
  {
    id: 'publish/throttled',
    clause: 'publish.15',
    title: 'the client backs off when the service asks for it, and events that expire meanwhile reject',
    requires: { capabilities: ['everyone'] },
    needs: ['throttle'],
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      await desk.publish({ type: 'order', data: 1 });
      const pauseMs = await c.faults.throttle(400);
      const beganMs = performance.now();
      await refused(
        () => desk.publish({ type: 'order', data: 'late' }, { ttlMs: pauseMs / 2 }),
        ['throttled'],
        'publish',
      );
      await desk.publish({ type: 'order', data: 2 });
      const tookMs = performance.now() - beganMs;
      check(tookMs >= pauseMs - 5, `published after ${tookMs.toFixed(0)} ms instead of ${pauseMs}`);
      await c.fence(desk, [inbox]);
      same(inbox.data, [1, 2], 'what arrived');
    },
  },
];
