import type { Signal } from '@polycast/core';
import { check, refused, same } from '../assert.ts';
import type { ConformanceCase } from '../case.ts';
import { FENCE } from '../inbox.ts';
import { interfere } from '../interfere.ts';
import { Gate } from '../wait.ts';

const requires = { capabilities: ['everyone', 'gapDetection'] } as const;
const gaps = (signals: readonly Signal[]) => signals.filter((signal) => signal.kind === 'gap');

export const signalCases: readonly ConformanceCase[] = [
  {
    id: 'signals/gap',
    clause: 'signals.1',
    title: 'two lost events are signalled as a gap of two with their source',
    requires,
    async run(c) {
      const lossy = interfere(c.transport(), {
        deliver: (event, lease, next) => {
          if (lease === undefined && (event.data === 3 || event.data === 4)) return true;
          return next(event, lease);
        },
      });
      const desk = await c.join('desk/d1');
      const inbox = await c.listen(await c.join('kitchen', { transport: lossy }));
      for (let n = 0; n < 10; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [inbox]);
      const lost = [3, 4].filter((n) => !inbox.data.includes(n)).length;
      const told = gaps(inbox.signals).reduce((sum, gap) => sum + (gap.kind === 'gap' ? (gap.count ?? 0) : 0), 0);
      same(told, lost, 'missing events signalled');
      if (lost > 0)
        same(gaps(inbox.signals)[0], { kind: 'gap', reason: 'sequence', source: '/desk/d1', count: 2 }, 'the gap');
    },
  },
  {
    id: 'signals/gap-per-publisher',
    clause: 'signals.1',
    title: 'the loss of one publisher’s event is signalled even if another publisher’s events arrive',
    requires,
    async run(c) {
      const lossy = interfere(c.transport(), {
        deliver: (event, lease, next) => (lease === undefined && event.data === 'lost' ? true : next(event, lease)),
      });
      const one = await c.join('desk/d1');
      const two = await c.join('desk/d2');
      const inbox = await c.listen(await c.join('kitchen', { transport: lossy }));
      for (const data of ['a', 'lost', 'b']) {
        await one.publish({ type: 'order', data });
        await two.publish({ type: 'order', data: 'noise' });
      }
      await c.fence(one, [inbox]);
      await c.fence(two, [inbox]);
      if (inbox.data.includes('lost')) return;
      same(gaps(inbox.signals), [{ kind: 'gap', reason: 'sequence', source: '/desk/d1', count: 1 }], 'gaps');
    },
  },
  {
    id: 'signals/no-gap',
    clause: 'signals.2',
    title: 'three hundred events to changing addresses: no gap',
    requires: { capabilities: ['everyone', 'role', 'instance', 'gapDetection'] },
    async run(c) {
      const desk = await c.join('desk');
      const one = await c.listen(await c.join('kitchen/k1'));
      const two = await c.listen(await c.join('kitchen/k2'));
      const ways = [
        ['*'],
        ['role:kitchen'],
        ['instance:k1'],
        ['instance:k2', 'role:kitchen'],
        ['role:bar'],
        ['instance:k2'],
      ] as const;
      for (let n = 0; n < 300; n++) await desk.publish({ type: 'order', data: n }, { to: ways[n % ways.length]! });
      await c.fence(desk, [one, two], { to: ['role:kitchen', 'instance:k1', 'instance:k2'] });
      same([gaps(one.signals), gaps(two.signals)], [[], []], 'gaps');
    },
  },
  {
    id: 'signals/no-gap-in-group',
    clause: 'signals.2',
    title: 'events that went to another member are not reported missing',
    requires: { capabilities: ['everyone', 'groups', 'gapDetection'] },
    async run(c) {
      const desk = await c.join('desk');
      const one = await c.listen(await c.join('worker'), { group: 'g' });
      const two = await c.listen(await c.join('worker'), { group: 'g' });
      for (let n = 0; n < 40; n++) await desk.publish({ type: 'job', data: n });
      await c.until(() => one.count + two.count >= 40, 'all forty');
      await c.fence(desk, [one, two], { group: true });
      same([gaps(one.signals), gaps(two.signals)], [[], []], 'gaps');
    },
  },
  {
    id: 'signals/no-gap-when-filtered',
    clause: 'signals.2',
    title: 'events excluded by the filter are not reported missing',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const inbox = await c.listen(await c.join('kitchen'), { filter: { exact: { wanted: true } } });
      for (let n = 0; n < 40; n++) await desk.publish({ type: 'order', data: n, wanted: n % 5 === 0 });
      await c.fence(desk, [inbox], { attributes: { wanted: true } });
      same([inbox.count, gaps(inbox.signals)], [8, []], 'count and gaps');
    },
  },
  {
    id: 'signals/late-comer',
    clause: 'signals.3',
    title: 'a subscriber that joins after fifty events misses none',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const early = await c.listen(await c.join('kitchen'));
      for (let n = 0; n < 50; n++) await desk.publish({ type: 'order', data: n });
      const late = await c.listen(await c.join('kitchen'));
      const lateHere = await c.listen(early.owner);
      for (let n = 50; n < 60; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [early, late, lateHere]);
      same(
        [early, late, lateHere].map(({ signals }) => gaps(signals)),
        [[], [], []],
        'gaps',
      );
    },
  },
  {
    id: 'signals/publisher-restarts',
    clause: 'signals.4',
    title: 'a publisher that restarts its sequence causes no gap',
    requires,
    async run(c) {
      const inbox = await c.listen(await c.join('kitchen'));
      for (let session = 0; session < 4; session++) {
        const desk = await c.join('desk/d1');
        for (let n = 0; n < 7; n++) await desk.publish({ type: 'order', data: `${session}.${n}` });
        await c.fence(desk, [inbox]);
        await desk.close();
      }
      same([inbox.count, gaps(inbox.signals)], [28, []], 'count and gaps');
    },
  },
  {
    id: 'signals/overflow',
    clause: 'signals.5',
    title: 'events that do not fit the buffer are signalled or delivered later',
    requires,
    async run(c) {
      const desk = await c.join('desk');
      const gate = new Gate();
      const kitchen = await c.join('kitchen');
      const inbox = await c.listen(kitchen, { bufferSize: 10 }, () => gate.passed);
      const quick = await c.listen(kitchen);
      for (let n = 0; n < 100; n++) await desk.publish({ type: 'order', data: n });
      await c.fence(desk, [quick]);
      check(inbox.subscription.pending <= 11, `${inbox.subscription.pending} are held with a buffer of 10`);
      gate.open();
      await c.within(inbox.subscription.drain(), 'drain');
      const told = () =>
        gaps(inbox.signals).reduce(
          (sum, gap) => sum + (gap.kind === 'gap' && gap.reason === 'overflow' ? (gap.count ?? 0) : 0),
          0,
        );
      // The marker of the fence may be among what was dropped: it is a hundred or a hundred and one.
      await c.until(
        () => inbox.count + told() >= 100,
        () => `100 delivered or signalled as lost, ${inbox.count} and ${told()} are`,
      );
      same(new Set(inbox.data).size, inbox.count, 'different events among those delivered');
    },
  },
  {
    id: 'signals/second-instance',
    clause: 'signals.6',
    title: 'a second broadcaster with the same instance id is rejected',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const first = await c.join('kitchen/k1');
      await refused(() => c.join('kitchen/k1'), ['duplicate-instance'], 'the second');
      await refused(() => c.join('bar/k1'), ['duplicate-instance'], 'another role with the same instance id');
      const inbox = await c.listen(first);
      const desk = await c.join('desk');
      await desk.publish({ type: 'order', data: 1 });
      await c.fence(desk, [inbox]);
      same(inbox.data, [1], 'the first is undisturbed');
    },
  },
  {
    id: 'signals/instance-is-free-again',
    clause: 'signals.7',
    title: 'after close the instance id can be used again, and on other topics at any time',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const first = await c.join('kitchen/k1');
      await c.join('kitchen/k1', { topic: `${c.topic}-other` });
      await first.close();
      const second = await c.join('kitchen/k1');
      const inbox = await c.listen(second);
      const desk = await c.join('desk');
      await desk.publish({ type: 'order', data: 1 });
      await c.fence(desk, [inbox]);
      same(inbox.data, [1], 'the second');
    },
  },
  {
    id: 'signals/listeners',
    clause: 'signals.8',
    title: 'a throwing listener has no effect on others, a removed listener is not called',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen', {
        onSignal: () => {
          throw new Error('bad listener');
        },
      });
      const removed: Signal[] = [];
      const heard: Signal[] = [];
      const remove = kitchen.onSignal((signal) => removed.push(signal));
      kitchen.onSignal(() => {
        throw new Error('bad listener');
      });
      kitchen.onSignal((signal) => heard.push(signal));
      remove();
      remove();
      const inbox = await c.listen(kitchen, { deadLetter: 'drop' }, (event, delivery) => {
        if (event.data === 'bad') delivery.reject('no');
      });
      await desk.publish({ type: 'order', data: 'bad' });
      await c.until(() => heard.length > 0, 'the listener behind the throwing one was not called');
      await desk.publish({ type: 'order', data: 'good' });
      await c.fence(desk, [inbox]);
      same([inbox.data, removed], [['bad', 'good'], []], 'data, and signals of the removed listener');
    },
  },
  {
    id: 'signals/both-listeners',
    clause: 'signals.9',
    title: 'only the subscription’s own listener and the broadcaster’s are called',
    requires: { capabilities: ['everyone'] },
    async run(c) {
      const atConnect: Signal[] = [];
      const desk = await c.join('desk');
      const kitchen = await c.join('kitchen', { onSignal: (signal) => atConnect.push(signal) });
      const later: Signal[] = [];
      kitchen.onSignal((signal) => later.push(signal));
      const own = await c.listen(kitchen, { deadLetter: 'drop' }, (event, delivery) => {
        if (event.type !== FENCE) delivery.reject('no');
      });
      const other = await c.listen(kitchen);
      await desk.publish({ type: 'order', data: 1 });
      await c.until(
        () => [atConnect, later, own.signals].every((signals) => heard(signals).length > 0),
        'not all listeners were called',
      );
      // On a busy machine the service may be silent for long, which is told as well.
      const kinds = [atConnect, later, own.signals, other.signals].map((signals) =>
        heard(signals).map(({ kind }) => kind),
      );
      same(kinds, [['dead-lettered'], ['dead-lettered'], ['dead-lettered'], []], 'signals by listener');
    },
  },
  {
    id: 'signals/of-one-source',
    clause: 'signals.10',
    title: 'a gap of one subscription is not signalled to another',
    requires: { capabilities: ['everyone', 'groups'] },
    needs: ['trim'],
    async run(c) {
      const desk = await c.join('desk');
      const all: Signal[] = [];
      const kitchen = await c.join('kitchen', { onSignal: (signal) => all.push(signal) });
      const slow = await c.listen(kitchen, { group: 'slow' });
      const fast = await c.listen(kitchen, { group: 'fast' });
      slow.subscription.pause();
      for (let n = 0; n < 10; n++) await desk.publish({ type: 'order', data: n });
      await fast.until(10);
      await c.faults.trim(c.topic);
      slow.subscription.resume();
      await c.until(() => gaps(slow.signals).length > 0, 'the subscription that missed events hears of no gap');
      same(gaps(fast.signals), [], 'gaps signalled to the subscription that missed nothing');
      check(gaps(all).length > 0, 'the gap is not signalled to the broadcaster’s listener');
    },
  },
];

/** What is not the machine's affair. */
function heard(signals: readonly Signal[]): readonly Signal[] {
  return signals.filter((signal) => signal.kind !== 'stalled' || signal.what !== 'server');
}
