import type { Broadcaster, FilterInput } from '@polycast/core';
import { check, refused, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import { FILTER_TARGETS } from '../filter-targets.ts';
import type { Inbox } from '../inbox.ts';
import { withFilterTarget } from '../push-down.ts';
import { later } from '../wait.ts';
import { FILTER_TABLE, type FilterRow } from './filter-table.ts';

const requires = { capabilities: ['everyone'] } as const;

/** A kitchen whose service evaluates nothing; and one for each kind of service that evaluates something. */
async function kitchens(c: CaseContext, row: FilterRow, pushed: boolean): Promise<readonly [string, Inbox][]> {
  const targets = pushed ? FILTER_TARGETS : [undefined];
  return Promise.all(
    targets.map(async (target): Promise<[string, Inbox]> => {
      const transport = target === undefined && !pushed ? c.transport() : withFilterTarget(c.transport(), target);
      const kitchen = await c.join('kitchen', { transport });
      return [target?.name ?? 'as it is', await c.listen(kitchen, { filter: row.filter })];
    }),
  );
}

function tableCase(row: FilterRow, pushed: boolean): ConformanceCase {
  return {
    id: `filter/${row.name}${pushed ? '-pushed' : ''}`,
    clause: row.clause,
    title: `${row.name}${pushed ? ', partly evaluated by the service' : ''}`,
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const all = await c.listen(await c.join('ledger'));
      const filtered = await kitchens(c, row, pushed);
      for (const [at, attributes] of row.events.entries())
        await desk.publish({ type: 'order', ...attributes, data: at });
      await c.fence(desk, [all]);
      for (const [, inbox] of filtered) await inbox.until(row.fits.length);
      await c.quiet();
      same(
        all.data,
        row.events.map((_, at) => at),
        'without a filter',
      );
      for (const [name, inbox] of filtered) same(inbox.data, row.fits, `with the filter, ${name}`);
    },
  };
}

const NO_FILTERS: readonly unknown[] = [
  7,
  '',
  '   ',
  'type =',
  "type = 'a",
  'type LIKE 7',
  '(type',
  'order_id = 1',
  'data = 1',
  "FROBNICATE(type) = 'a'",
  '5',
  "'text'",
  'table + 1',
  '99999999999 = table',
  {},
  { exact: 7 },
  { exact: {} },
  { exact: { Type: 'a' } },
  { exact: { type: {} } },
  { all: [] },
  { exact: { type: 'a' }, prefix: { type: 'a' } },
  { nothing: { type: 'a' } },
  { kind: 'exists' },
  `${'('.repeat(10_000)}TRUE${')'.repeat(10_000)}`,
  `type = '${'x'.repeat(1_000_000)}'`,
];

/** Publishes `count` numbered orders; order n has table n. */
async function orders(desk: Broadcaster, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) await desk.publish({ type: 'order', table: n, data: n });
}

export const filterCases: readonly ConformanceCase[] = [
  ...FILTER_TABLE.flatMap((row) => [tableCase(row, false), tableCase(row, true)]),
  {
    id: 'filter/refused',
    clause: 'filter.5',
    title: 'an invalid filter is rejected, and the broadcaster keeps working',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      for (const bad of NO_FILTERS) {
        const shown = String(typeof bad === 'string' ? bad : JSON.stringify(bad)).slice(0, 60);
        await refused(
          () => kitchen.subscribe(() => {}, { filter: bad as FilterInput }),
          ['invalid-filter'],
          `filter ${shown}`,
        );
      }
      const inbox = await c.listen(kitchen, { filter: 'table = 1' });
      await orders(desk, 3);
      await inbox.expect([1]);
    },
  },
  {
    id: 'filter/with-address',
    clause: 'filter.6',
    title: 'an event must be addressed to the role and match the filter',
    requires: { capabilities: ['everyone', 'role'] },
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.listen(await c.join('kitchen'), { filter: 'table > 1' });
      const bar = await c.listen(await c.join('bar'), { filter: 'table > 1' });
      for (const to of ['*', 'role:kitchen', 'role:bar'] as const) {
        for (const table of [1, 2]) await desk.publish({ type: 'order', table, data: `${to} ${table}` }, { to });
      }
      await kitchen.until(2);
      await bar.until(2);
      await c.quiet();
      sameSet(kitchen.data, ['* 2', 'role:kitchen 2'], 'kitchen');
      sameSet(bar.data, ['* 2', 'role:bar 2'], 'bar');
    },
  },
  {
    id: 'filter/by-address',
    clause: 'filter.6',
    title: 'a filter can test the address of an event',
    requires: { capabilities: ['everyone', 'role'] },
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const direct = await c.listen(kitchen, { filter: "to = 'role:kitchen'" });
      const everyones = await c.listen(kitchen, { filter: 'NOT EXISTS to' });
      for (const to of ['*', 'role:kitchen', 'role:bar'] as const)
        await desk.publish({ type: 'order', data: to }, { to });
      await direct.until(1);
      await everyones.until(1);
      await c.quiet();
      same([direct.data, everyones.data], [['role:kitchen'], ['*']], 'for the role, for everyone');
    },
  },
  {
    id: 'filter/in-a-group',
    clause: 'filter.7',
    title: 'events that do not match are settled',
    requires: { capabilities: ['everyone', 'groups'] },
    async run(c) {
      const desk = await c.join('desk');
      const options = { group: 'cooks', filter: 'table % 2 = 0', lockMs: 1_000 };
      const one = await c.listen(await c.join('kitchen'), options);
      const two = await c.listen(await c.join('kitchen'), options);
      await orders(desk, 20);
      await c.until(() => one.count + two.count >= 10, 'the ten that fit');
      await c.quiet();
      sameSet(
        [...one.data, ...two.data],
        Array.from({ length: 10 }, (_, n) => n * 2),
        'what the group got',
      );
      const signals = [...one.signals, ...two.signals].map(({ kind }) => kind);
      check(!signals.includes('dead-lettered'), `signals ${signals.join()}`);
    },
  },
  {
    id: 'filter/many',
    clause: 'filter.8',
    title: 'three hundred filters in one broadcaster, each with its own events',
    requires,
    // A service that has three hundred subscriptions to open keeps what runs beside it waiting.
    alone: true,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const filters = Array.from({ length: 100 }, (_, n) => [
        `table = ${n}`,
        `table >= ${n} AND table < ${n + 2}`,
        `subject LIKE 'dish-${n}-%' OR table = ${n}`,
      ]).flat();
      const inboxes = await Promise.all(filters.map((filter) => c.listen(kitchen, { filter })));
      const plain = await c.listen(kitchen);
      for (let n = 0; n < 100; n++) await desk.publish({ type: 'order', table: n, subject: `dish-${n}-x`, data: n });
      await c.fence(desk, [plain]);
      for (const [at, inbox] of inboxes.entries()) {
        const n = Math.floor(at / 3);
        const wanted = at % 3 === 1 && n < 99 ? [n, n + 1] : [n];
        await inbox.expect(wanted, filters[at]);
      }
      same(plain.count, 100, 'without a filter');
    },
  },
  {
    id: 'filter/come-and-go',
    clause: 'filter.9',
    title: 'filtered subscriptions open and close while events flow',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const steady = await c.listen(kitchen, { filter: 'table % 2 = 0' });
      const flowing = later(orders(desk, 100));
      for (let round = 0; round < 20; round++) {
        const passing = await c.listen(kitchen, { filter: `table >= ${round}` });
        await passing.subscription.close();
      }
      await flowing;
      await steady.expect(Array.from({ length: 50 }, (_, n) => n * 2));
      await steady.subscription.close();
      await orders(desk, 10, 200);
      await c.quiet();
      same(steady.count, 50, 'after close');
    },
  },
  {
    id: 'filter/from-a-handler',
    clause: 'filter.9',
    title: 'handlers close and open subscriptions with filters',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen');
      const second: { inbox?: Inbox } = {};
      const first: Inbox = await c.listen(kitchen, { filter: "type = 'order'" }, async () => {
        second.inbox = await c.listen(kitchen, { filter: "type = 'order' AND table > 0" });
        void later(first.subscription.close());
      });
      const steady = await c.listen(kitchen, { filter: "type LIKE 'ord%'" });
      await orders(desk, 1);
      await c.until(
        () => second.inbox !== undefined && first.subscription.state === 'closed',
        'the handler to be done',
      );
      await orders(desk, 2, 1);
      await steady.expect([0, 1, 2]);
      await second.inbox?.expect([1, 2]);
      same(first.data, [0], 'the closed one');
    },
  },
];
