import type { Transport } from '@polycast/core';
import { memory } from '@polycast/memory';
import { expect, test } from 'vitest';
import { conforms, runConformance } from '../src/index.ts';
import { interfere } from '../src/interfere.ts';

/** As a webhook behind a load balancer: whatever is subscribed, one of its instances gets each event. */
function webhook(hub: string): Transport {
  const none = { level: 'none' } as const;
  return interfere(memory({ hub }), {
    manifest: (manifest) => ({
      ...manifest,
      transport: 'webhook',
      capabilities: { ...manifest.capabilities, fanOut: none, members: none, request: none },
    }),
    subscribe: (request, sink, next) => next({ ...request, group: request.group ?? 'behind the load balancer' }, sink),
  });
}

test('a transport whose only receivers are groups conforms, and refuses a plain subscription', async () => {
  const report = await runConformance(
    { name: 'webhook', transport: () => webhook('group-only') },
    { tryUnclaimed: false, only: ['limits/', 'groups/', 'subscribe/'] },
  );
  const passed = report.cases.filter(({ status }) => status === 'passed').map(({ id }) => id);
  expect(passed).toContain('limits/unsupported-fanOut');
  expect(passed).toContain('groups/one-of-two');
  expect(report.cases.filter(({ status }) => status === 'failed')).toEqual([]);
  expect(conforms(report)).toBe(true);
});
