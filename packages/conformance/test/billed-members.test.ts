import type { Transport } from '@polycast/core';
import type { Participant } from '@polycast/core/adapter';
import { memory } from '@polycast/memory';
import { expect, test } from 'vitest';
import { conforms, runConformance } from '../src/index.ts';

/** A service that keeps a list which participants enter and leave, and bills for it. */
function presenceService(hub: string) {
  const topics = new Map<string, Set<Participant>>();
  const make = (): Transport => {
    const inner = memory({ hub });
    const members = { level: 'native', billed: true } as const;
    return {
      manifest: { ...inner.manifest, transport: 'presence', capabilities: { ...inner.manifest.capabilities, members } },
      location: inner.location,
      async open(context) {
        const link = await inner.open(context);
        const list = topics.get(context.topic) ?? new Set();
        topics.set(context.topic, list);
        return {
          publish: (batch) => link.publish(batch),
          subscribe: (request, sink) => link.subscribe(request, sink),
          async enter() {
            await Promise.resolve();
            if (list.has(context.self)) throw new Error('entered twice');
            list.add(context.self);
          },
          async leave() {
            await Promise.resolve();
            if (!list.delete(context.self)) throw new Error('left twice');
          },
          members: async () => [...list],
          close: () => link.close(),
        };
      },
    };
  };
  return { make, topics };
}

test('a service with a billed list of members conforms, and is left empty', async () => {
  const { make, topics } = presenceService('billed-members');
  const report = await runConformance(
    { name: 'presence', transport: make },
    { tryUnclaimed: false, only: ['members/', 'lifecycle/'] },
  );
  expect(report.cases.filter(({ status }) => status === 'failed')).toEqual([]);
  const passed = report.cases.filter(({ status }) => status === 'passed').map(({ id }) => id);
  expect(passed).toEqual(expect.arrayContaining(['members/not-asked-for', 'members/all', 'members/once-each']));
  expect(conforms(report)).toBe(true);
  expect([...topics.values()].filter(({ size }) => size > 0)).toEqual([]);
});
