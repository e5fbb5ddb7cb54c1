import { check, refused, same } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import { Gate, later, pass } from '../wait.ts';

const requires = { capabilities: ['everyone', 'order'] } as const;
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const lengthOf = (value: unknown) => String(value).length;

export const orderCases: readonly ConformanceCase[] = [
  {
    id: 'order/awaited',
    clause: 'order.1',
    title: 'two hundred awaited events arrive in order',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      for (const n of numbers(200)) await desk.publish({ type: 'order', data: n });
      await inbox.expect(numbers(200));
    },
  },
  {
    id: 'order/not-awaited',
    clause: 'order.1',
    title: 'two thousand events published at once arrive in order',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { bufferSize: 5_000 });
      await Promise.all(numbers(2_000).map((n) => desk.publish({ type: 'order', data: n })));
      await inbox.expect(numbers(2_000));
    },
  },
  {
    id: 'order/to-a-role-and-an-instance',
    clause: 'order.1',
    title: 'the order of each address is kept while addresses alternate',
    requires: { capabilities: ['order', 'everyone', 'role', 'instance'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen/k1'));
      const ways = ['*', 'role:kitchen', 'instance:k1'] as const;
      await Promise.all(
        numbers(150).map((n) => desk.publish({ type: 'order', data: n, way: n % 3 }, { to: ways[n % 3]! })),
      );
      await inbox.until(150);
      for (const way of numbers(3)) {
        const data = inbox.received.filter(({ event }) => event.way === way).map(({ event }) => event.data);
        same(
          data,
          numbers(150).filter((n) => n % 3 === way),
          `to ${ways[way]}`,
        );
      }
    },
  },
  {
    id: 'order/per-publisher',
    clause: 'order.2',
    title: 'each of five publishers keeps its order',
    requires,
    async run(c) {
      const inbox = await c.listen(await c.join('kitchen'), { bufferSize: 5_000 });
      const desks = await Promise.all(numbers(5).map((n) => c.join(`desk/d${n}`)));
      await Promise.all(
        desks.flatMap((desk, at) => numbers(100).map((n) => desk.publish({ type: 'order', data: [at, n] }))),
      );
      await inbox.until(500);
      for (const at of numbers(5)) {
        const own = (inbox.data as [number, number][]).filter(([desk]) => desk === at).map(([, n]) => n);
        same(own, numbers(100), `publisher ${at}`);
      }
    },
  },
  {
    id: 'order/mixed-sizes',
    clause: 'order.3',
    title: 'large and small events keep their order',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const large = Math.min(50_000, Math.floor(c.manifest.limits.maxEventBytes / 2));
      const sizes = numbers(40).map((n) => (n % 4 === 0 ? large : n + 1));
      await Promise.all(sizes.map((size) => desk.publish({ type: 'order', data: 'x'.repeat(size) })));
      await inbox.until(sizes.length);
      same(inbox.data.map(lengthOf), sizes, 'sizes in order of delivery');
    },
  },
  {
    id: 'order/partition-key',
    clause: 'order.4',
    title: 'with concurrency 8, events with one key never overlap and stay in order',
    requires: { capabilities: ['everyone', 'partitionKey'] },
    async run(c) {
      const desk = await c.join('desk');
      const running = new Map<string, number>();
      const done = new Map<string, unknown[]>();
      let overlapped = false;
      const inbox = await c.listen(await c.join('kitchen'), { concurrency: 8 }, async (event) => {
        const key = String(event.partitionkey);
        const now = (running.get(key) ?? 0) + 1;
        running.set(key, now);
        overlapped ||= now > 1;
        await pass(c.random() * 3);
        running.set(key, now - 1);
        done.set(key, [...(done.get(key) ?? []), event.data]);
      });
      await Promise.all(
        numbers(80).map((n) => desk.publish({ type: 'order', data: n }, { partitionKey: `table-${n % 4}` })),
      );
      await inbox.until(80);
      await c.within(inbox.subscription.drain(), 'drain');
      check(!overlapped, 'two handlers of one key ran at once');
      for (const key of numbers(4))
        same(
          done.get(`table-${key}`),
          numbers(80).filter((n) => n % 4 === key),
          `key ${key}`,
        );
    },
  },
  {
    id: 'order/partition-key-through-retries',
    clause: 'order.4',
    title: 'a failing event blocks its key until it is settled',
    requires: { capabilities: ['everyone', 'partitionKey', 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      const accepted: unknown[] = [];
      const inbox = await c.listen(
        await c.join('kitchen'),
        { concurrency: 4, retry: { baseMs: 1, maxMs: 5 } },
        (event, { attempt }) => {
          if (event.data === 1 && attempt < 3) throw new Error('not yet');
          accepted.push(event.data);
        },
      );
      for (const n of numbers(6)) await desk.publish({ type: 'order', data: n }, { partitionKey: 'table-1' });
      await c.until(
        () => accepted.length >= 6,
        () => `six accepted, there are ${accepted.join()}`,
      );
      same(accepted, numbers(6), 'accepted in order');
      same(inbox.count, 8, 'deliveries');
    },
  },
  {
    id: 'order/keys-at-once',
    clause: 'order.5',
    title: 'a blocked key does not block another',
    requires: { capabilities: ['everyone', 'partitionKey'] },
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const inbox = await c.listen(await c.join('kitchen'), { concurrency: 4 }, (event) =>
        event.partitionkey === 'blocked' ? gate.passed : undefined,
      );
      for (const n of numbers(5)) await desk.publish({ type: 'order', data: `b${n}` }, { partitionKey: 'blocked' });
      for (const n of numbers(5)) await desk.publish({ type: 'order', data: `f${n}` }, { partitionKey: 'free' });
      await inbox.untilThat(
        (received) => received.filter(({ event }) => event.partitionkey === 'free').length === 5,
        'the five of the free key',
      );
      same(
        inbox.data.filter((one) => String(one).startsWith('b')),
        ['b0'],
        'of the blocked key',
      );
      gate.open();
      await inbox.until(10);
    },
  },
  {
    id: 'order/partition-key-in-group',
    clause: 'order.6',
    title: 'in a group, events with one key never overlap and stay in order',
    requires: { capabilities: ['everyone', 'groups', 'partitionKey'] },
    async run(c) {
      const desk = await c.join('desk');
      const running = new Map<string, number>();
      const done = new Map<string, unknown[]>();
      let overlapped = false;
      const react = async (event: { data: unknown; partitionkey?: unknown }) => {
        const key = String(event.partitionkey);
        const now = (running.get(key) ?? 0) + 1;
        running.set(key, now);
        overlapped ||= now > 1;
        await pass(c.random() * 3);
        running.set(key, (running.get(key) ?? 1) - 1);
        done.set(key, [...(done.get(key) ?? []), event.data]);
      };
      const options = { group: 'g', concurrency: 2 };
      for (const _ of numbers(3)) await c.listen(await c.join('worker'), options, react);
      await Promise.all(
        numbers(90).map((n) => desk.publish({ type: 'job', data: n }, { partitionKey: `table-${n % 3}` })),
      );
      const count = () => [...done.values()].reduce((sum, list) => sum + list.length, 0);
      await c.until(
        () => count() >= 90,
        () => `ninety handled, there are ${count()}`,
      );
      check(!overlapped, 'two members worked on one key at once');
      for (const key of numbers(3))
        same(
          done.get(`table-${key}`),
          numbers(90).filter((n) => n % 3 === key),
          `key ${key}`,
        );
    },
  },
  {
    id: 'order/partition-key-in-group-uneven',
    clause: 'order.6',
    title: 'in a group, events with irregularly mixed keys never overlap and stay in order, even with failures',
    requires: { capabilities: ['everyone', 'groups', 'partitionKey', 'redelivery'] },
    async run(c) {
      const desk = await c.join('desk');
      const count = 120;
      const keyOf = numbers(count).map(() => Math.floor(c.random() ** 2 * 6));
      const running = new Map<number, number>();
      const done = new Map<number, number[]>();
      const overlapped: number[] = [];
      let handled = 0;
      const react = async (event: { data: unknown }, { attempt }: { attempt: number }) => {
        const n = event.data as number;
        const key = keyOf[n] as number;
        const now = (running.get(key) ?? 0) + 1;
        running.set(key, now);
        if (now > 1) overlapped.push(n);
        await pass(c.random() * 4);
        running.set(key, (running.get(key) ?? 1) - 1);
        if (n % 11 === 0 && attempt === 1) throw new Error('fails once');
        done.set(key, [...(done.get(key) ?? []), n]);
        handled++;
      };
      const options = { group: 'g', concurrency: 4, retry: { baseMs: 1, maxMs: 4 } };
      for (const _ of numbers(3)) await c.listen(await c.join('worker'), options, react);
      // One by one, so that they come apart, then in one go.
      const publish = (n: number) => desk.publish({ type: 'job', data: n }, { partitionKey: `key-${keyOf[n]}` });
      for (const n of numbers(count / 2)) await publish(n);
      await Promise.all(numbers(count / 2).map((n) => publish(count / 2 + n)));
      await c.until(
        () => handled >= count,
        () => `${count} handled, there are ${handled}`,
      );
      same(overlapped, [], 'those that ran beside another of their key');
      for (const [key, list] of done) {
        same(
          list,
          numbers(count).filter((n) => keyOf[n] === key),
          `key ${key}`,
        );
      }
    },
  },
  {
    id: 'order/partition-key-in-group-joined',
    clause: 'order.6',
    title: 'in each role’s group, a key stays ordered and exclusive per address while members join',
    requires: { capabilities: ['everyone', 'groups', 'partitionKey', 'role'] },
    async run(c) {
      const desk = await c.join('desk');
      const running = new Set<string>();
      const done = new Map<string, number[]>();
      const overlapped: number[] = [];
      const laneOf: string[] = [];
      let handled = 0;
      let owed = 0;
      const react = (role: string) => async (event: { data: unknown }) => {
        const n = event.data as number;
        const lane = `${role}: ${laneOf[n]}`;
        if (running.has(lane)) overlapped.push(n);
        running.add(lane);
        await pass(c.random() * 3);
        running.delete(lane);
        done.set(lane, [...(done.get(lane) ?? []), n]);
        handled++;
      };
      const roles = ['cook', 'waiter'] as const;
      const join = async () => {
        for (const role of roles) await c.listen(await c.join(role), { group: 'g', concurrency: 2 }, react(role));
      };
      const publish = () => {
        const to = (['*', ...roles.map((role) => `role:${role}` as const)] as const)[Math.floor(c.random() * 3)]!;
        const partitionKey = `key-${Math.floor(c.random() * 2)}`;
        const n = laneOf.push(`${to} ${partitionKey}`) - 1;
        owed += to === '*' ? roles.length : 1;
        return desk.publish({ type: 'job', data: n }, { to, partitionKey });
      };
      for (const _ of numbers(3)) {
        await join();
        await Promise.all(numbers(40).map(publish));
      }
      await c.until(
        () => handled >= owed,
        () => `${owed} handled, there are ${handled}`,
      );
      same(overlapped, [], 'those that ran beside another of their key and address');
      for (const [lane, list] of done)
        same(
          list,
          numbers(laneOf.length).filter((n) => lane.endsWith(`: ${laneOf[n]}`)),
          lane,
        );
    },
  },
  {
    id: 'order/partition-key-attribute',
    clause: 'order.7',
    title: 'the key arrives as an attribute with any characters, up to 128 of them',
    requires: { capabilities: ['everyone', 'partitionKey'] },
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'));
      const keys = ['a', 'Tisch „7“', 'x'.repeat(128)];
      for (const partitionKey of keys) await desk.publish({ type: 'order' }, { partitionKey });
      await inbox.until(3);
      same(
        inbox.received.map(({ event }) => event.partitionkey),
        keys,
        'keys',
      );
      for (const bad of ['', 'x'.repeat(129)]) {
        await refused(
          () => desk.publish({ type: 'order' }, { partitionKey: bad }),
          ['invalid-event', 'invalid-configuration'],
          `a key of ${bad.length} characters`,
        );
      }
    },
  },
  {
    id: 'order/slow-reader',
    clause: 'order.8',
    title: 'a slow reader reads in order',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const subscription = await (await c.join('kitchen')).subscribe();
      await Promise.all(numbers(60).map((n) => desk.publish({ type: 'order', data: n })));
      const data: unknown[] = [];
      const reading = later(
        (async () => {
          for await (const { event } of subscription) {
            if (data.length % 10 === 0) await pass(2);
            data.push(event.data);
            if (data.length === 60) break;
          }
        })(),
      );
      await c.within(reading, 'reading');
      same(data, numbers(60), 'data');
    },
  },
];
