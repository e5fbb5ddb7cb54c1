import { expect, it } from 'vitest';
import { Scene, until } from './scene.ts';

/** Keep-alives that are waited for: at the default `keepAliveMs` the service sends four a minute. */
const KEPT = 4;

it.each([
  ['1 subscription', 1, {}],
  ['10 subscriptions', 10, {}],
  ['a member of a group', 1, { group: 'cooks' }],
])('%s: idle, nothing is billed, and one connection carries nothing but keep-alives', async (_, count, options) => {
  await using scene = await Scene.open();
  const transport = { operationTimeoutMs: 60_000 };
  const { cast, signals } = await scene.join({ self: { role: 'kitchen', instance: 'kitchen-1' }, transport });
  for (let at = 0; at < count; at++) await cast.subscribe(() => {}, options);
  const frames = () => scene.proxy.seen;
  // What belongs to subscribing comes before: links, credit, tokens.
  let before = -1;
  await until('it is quiet', () => {
    const kept = frames().findLastIndex(({ performative }) => performative !== 'empty');
    const isQuiet = before === kept && frames().length - kept > KEPT / 2;
    before = kept;
    return isQuiet;
  });
  const from = frames().length;
  const { billedOperations } = scene.service.counts();
  await until(
    'keep-alives pass',
    () =>
      frames()
        .slice(from)
        .filter(({ way }) => way === 'down').length >= KEPT,
  );
  expect(
    frames()
      .slice(from)
      .filter(({ performative }) => performative !== 'empty'),
  ).toEqual([]);
  expect(scene.service.counts().billedOperations).toBe(billedOperations);
  expect([scene.proxy.connections, signals]).toEqual([1, []]);
  await scene.end();
});
