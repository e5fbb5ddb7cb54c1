import { PolycastError } from '@polycast/core';
import type { Lease } from '@polycast/core/adapter';
import { compileFilter } from '@polycast/core/filter';
import { check, same, sameSet } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import type { CaseContext } from '../context.ts';
import type { RawDelivery, RawInbox } from '../link-participant.ts';
import { nowMs, pass } from '../wait.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

function leaseOf(delivery: RawDelivery): Lease {
  check(delivery.lease !== undefined, 'the delivery has no lease, although the capability is called native');
  return delivery.lease;
}

async function accept(inbox: RawInbox): Promise<void> {
  for (const { lease } of inbox.deliveries) await lease?.settle({ kind: 'accept' });
}

/** A publisher and one source of a group. */
async function grouped(c: CaseContext, lockMs = 30_000) {
  const desk = await c.joinBelow('desk');
  const worker = await c.joinBelow('worker');
  const inbox = await worker.subscribe({ group: 'g', lockMs });
  return { desk, worker, inbox };
}

export const nativeCases: readonly ConformanceCase[] = [
  {
    id: 'native/addressing',
    clause: 'native.1',
    title: 'the service delivers only events for the requested addresses',
    requires: { native: ['role', 'instance'] },
    async run(c) {
      const desk = await c.joinBelow('desk');
      const kitchen = await c.joinBelow('kitchen/k1');
      const inbox = await kitchen.subscribe();
      const ways = [
        ['*'],
        ['role:kitchen'],
        ['instance:k1'],
        ['role:bar'],
        ['instance:k2'],
        ['role:bar', 'instance:k2'],
      ] as const;
      for (const [n, to] of ways.entries()) await desk.publish([n], { to });
      await desk.publish(['last']);
      await inbox.until(4);
      await c.quiet();
      sameSet(inbox.data, [0, 1, 2, 'last'], 'handed over');
    },
  },
  {
    id: 'native/groups',
    clause: 'native.2',
    title: 'two links in one group: each event goes to one of them',
    requires: { native: ['groups'] },
    async run(c) {
      const desk = await c.joinBelow('desk');
      const inboxes: RawInbox[] = [];
      for (const _ of numbers(2)) inboxes.push(await (await c.joinBelow('worker')).subscribe({ group: 'g' }));
      await desk.publish(numbers(40));
      const all = () => inboxes.flatMap(({ data }) => data);
      await c.until(
        () => all().length >= 40,
        () => `40 deliveries, there are ${all().length}`,
      );
      await c.quiet();
      sameSet(all(), numbers(40), 'both together');
      for (const inbox of inboxes) await accept(inbox);
    },
  },
  {
    id: 'native/redelivery',
    clause: 'native.3',
    title: 'a released lease comes back as the next attempt',
    requires: { native: ['redelivery'], capabilities: ['groups'] },
    async run(c) {
      const { desk, inbox } = await grouped(c);
      await desk.publish(['x']);
      for (const attempt of [1, 2, 3]) {
        const lease = leaseOf(await inbox.at(attempt - 1));
        same(lease.attempt, attempt, 'attempt');
        await lease.settle(attempt < 3 ? { kind: 'release', delayMs: 0 } : { kind: 'accept' });
      }
      await c.quiet();
      same(inbox.data, ['x', 'x', 'x'], 'deliveries');
    },
  },
  {
    id: 'native/crash',
    clause: 'native.4',
    title: 'a lease that is neither settled nor renewed goes to the other consumer',
    requires: { native: ['crashRedelivery'], capabilities: ['groups'] },
    timeoutMs: 20_000,
    async run(c) {
      const { desk, inbox } = await grouped(c, 300);
      await desk.publish(['x']);
      await inbox.until(1);
      const other = await (await c.joinBelow('worker')).subscribe({ group: 'g', lockMs: 300 });
      const both = () => [...inbox.deliveries.slice(1), ...other.deliveries];
      await c.until(() => both().length > 0, 'it was not delivered again');
      const { attempt } = leaseOf(both()[0]!);
      check(attempt >= 2, `it came again as attempt ${attempt}`);
      for (;;) {
        const seen = both().length;
        try {
          return await leaseOf(both()[seen - 1]!).settle({ kind: 'accept' });
        } catch (thrown) {
          if (PolycastError.from(thrown).code !== 'lock-lost') throw thrown;
          // This process was too busy to settle within the lock: it comes once more.
          await c.until(() => both().length > seen, 'it was not delivered again');
        }
      }
    },
  },
  {
    id: 'native/lock',
    clause: 'native.5',
    title: 'a lease renewed for four lock periods goes to no other consumer',
    requires: { native: ['lock'], capabilities: ['groups'] },
    alone: true,
    timeoutMs: 20_000,
    async run(c) {
      const lockMs = c.stretched(400);
      const { desk, inbox } = await grouped(c, lockMs);
      await desk.publish(['x']);
      const lease = leaseOf(await inbox.at(0));
      check(lease.renew !== undefined, 'the lease cannot be renewed');
      const other = await (await c.joinBelow('worker')).subscribe({ group: 'g', lockMs });
      const endMs = nowMs() + 4 * lockMs;
      while (nowMs() < endMs) {
        await lease.renew();
        await pass(100);
      }
      same([inbox.data, other.data], [['x'], []], 'deliveries while it was renewed');
      await lease.settle({ kind: 'accept' });
    },
  },
  {
    id: 'native/delayed-release',
    clause: 'native.6',
    title: 'a lease released with a delay does not come back early',
    requires: { native: ['delayedRelease'], capabilities: ['groups'] },
    timeoutMs: 60_000,
    async run(c) {
      const { desk, inbox } = await grouped(c);
      await desk.publish(['x']);
      const { numbers, steps } = c.manifest.capabilities.delayedRelease;
      const delayMs = steps?.delayMs?.find((step) => step > 0) ?? numbers?.minDelayMs ?? 200;
      const lease = leaseOf(await inbox.at(0));
      const beganMs = nowMs();
      await lease.settle({ kind: 'release', delayMs });
      await c.within(inbox.until(2), 'the second delivery');
      check(
        nowMs() - beganMs >= delayMs * 0.95,
        `it came back after ${Math.round(nowMs() - beganMs)} ms instead of ${delayMs}`,
      );
      await leaseOf(await inbox.at(1)).settle({ kind: 'accept' });
    },
  },
  {
    id: 'native/dead-letter',
    clause: 'native.7',
    title: 'a dead-lettered lease is not delivered again',
    requires: { native: ['deadLetter'], capabilities: ['groups'] },
    async run(c) {
      const { desk, worker, inbox } = await grouped(c);
      await desk.publish(['bad', 'good']);
      await inbox.until(2);
      await leaseOf(inbox.deliveries[0]!).settle({ kind: 'dead-letter', reason: 'no' });
      await leaseOf(inbox.deliveries[1]!).settle({ kind: 'accept' });
      const again = await worker.subscribe({ group: 'g' });
      await c.quiet();
      same([inbox.data.length, again.data], [2, []], 'deliveries');
    },
  },
  {
    id: 'native/settlement',
    clause: 'native.8',
    title: 'a lease accepted by one link is not delivered to another link of the group',
    requires: { native: ['settlement'], capabilities: ['groups'] },
    async run(c) {
      const desk = await c.joinBelow('desk');
      const first = await c.joinBelow('worker');
      const inbox = await first.subscribe({
        group: 'g',
        durable: c.manifest.capabilities.durable.level === 'none' ? undefined : 'g',
      });
      await desk.publish(numbers(10));
      await inbox.until(10);
      await accept(inbox);
      await first.close();
      const second = await c.joinBelow('worker');
      const again = await second.subscribe({
        group: 'g',
        durable: c.manifest.capabilities.durable.level === 'none' ? undefined : 'g',
      });
      await desk.publish(['new']);
      await again.until(1);
      await c.quiet();
      same(again.data, ['new'], 'what the second saw');
      await accept(again);
    },
  },
  {
    id: 'native/filter',
    clause: 'native.9',
    title: 'the service withholds events that the pushed filter excludes',
    requires: { native: ['filterPushDown'] },
    async run(c) {
      const desk = await c.joinBelow('desk');
      const kitchen = await c.joinBelow('kitchen');
      const target = c.transport().filterTarget;
      check(target !== undefined, 'the manifest says native, and the transport names no filterTarget');
      // Some services know attributes, others only addresses.
      const byAttribute = target.push(compileFilter("region = 'west'").condition, {}).native;
      const byAddress = target.push(compileFilter("to = 'role:kitchen'").condition, {}).native;
      check(byAttribute !== undefined || byAddress !== undefined, 'neither an attribute nor an address is pushed');
      const inbox = await kitchen.subscribe({ filter: byAttribute ?? byAddress });
      for (const region of ['west', 'east', 'west', 'north']) {
        const to = byAttribute !== undefined || region !== 'west' ? '*' : 'role:kitchen';
        await desk.publish([region], { parts: { attributes: { region } }, to: [to] });
      }
      await inbox.until(2);
      await c.quiet();
      same(inbox.data, ['west', 'west'], 'handed over');
    },
  },
  {
    id: 'native/dedupe',
    clause: 'native.10',
    title: 'the service stores the same id once',
    requires: { native: ['dedupe'] },
    async run(c) {
      const desk = await c.joinBelow('desk');
      const inbox = await (await c.joinBelow('kitchen')).subscribe();
      for (const data of ['first', 'second'])
        await desk.publish([data], { parts: { id: 'order-1', source: '/orders' } });
      await desk.publish(['last']);
      await inbox.until(2);
      await c.quiet();
      same(inbox.data, ['first', 'last'], 'handed over');
    },
  },
  {
    id: 'native/order',
    clause: 'native.11',
    title: 'batches and the events in them arrive in order',
    requires: { native: ['order'] },
    async run(c) {
      const desk = await c.joinBelow('desk');
      const inbox = await (await c.joinBelow('kitchen')).subscribe();
      const maxBatch = Math.min(c.manifest.limits.maxBatchEvents, 25);
      await desk.publish(numbers(200), { maxBatch });
      await inbox.until(200);
      same(inbox.data, numbers(200), 'handed over');
      await accept(inbox);
    },
  },
  {
    id: 'native/batches-in-flight',
    clause: 'native.11',
    title: 'the maximum number of concurrent batches keeps their order',
    requires: { native: ['order'] },
    async run(c) {
      const desk = await c.joinBelow('desk');
      const inbox = await (await c.joinBelow('kitchen')).subscribe();
      const atOnce = Math.min(c.manifest.limits.maxBatchesInFlight, 8);
      for (let round = 0; round < 10; round++) {
        await Promise.all(numbers(atOnce).map((n) => desk.publish([round * atOnce + n])));
      }
      await inbox.until(10 * atOnce);
      same(inbox.data, numbers(10 * atOnce), 'handed over');
      await accept(inbox);
    },
  },
  {
    id: 'native/members',
    clause: 'native.12',
    title: 'the service lists the members',
    requires: { native: ['members'] },
    async run(c) {
      const desk = await c.joinBelow('desk/d1');
      await desk.subscribe();
      await (await c.joinBelow('kitchen/k1')).subscribe();
      check(desk.link.members !== undefined, 'the link does not list members');
      const list = async () => (await desk.link.members!()).map(({ role, instance }) => `${role}/${instance}`);
      sameSet(await list(), ['desk/d1', 'kitchen/k1'], 'members');
    },
  },
  {
    id: 'native/ttl',
    clause: 'ttl.8',
    title: 'the service withholds an event that expired before a consumer asked for it',
    requires: { native: ['ttl'], capabilities: ['durable'] },
    timeoutMs: 60_000,
    async run(c) {
      const desk = await c.joinBelow('desk');
      const granularityMs = c.manifest.capabilities.ttl.numbers?.granularityMs ?? 1;
      const first = await c.joinBelow('kitchen/k1');
      await first.subscribe({ durable: 'd' });
      await first.close();
      const ttlMs = Math.max(granularityMs, 30);
      const expiresAtMs = Date.now() + ttlMs;
      await desk.publish(['short'], { expiresAtMs, parts: { expiresAtMs } });
      await desk.publish(['long']);
      while (Date.now() <= expiresAtMs + granularityMs + c.slackMs) await pass(10);
      const inbox = await (await c.joinBelow('kitchen/k1')).subscribe({ durable: 'd' });
      await inbox.until(1);
      await c.quiet();
      same(inbox.data, ['long'], 'handed over');
      await accept(inbox);
    },
  },
];
