import { describe, expect, it, vi } from 'vitest';
import { reasonOf } from '../src/message-lease.ts';
import { freshTopic, useService } from './service.ts';

describe('the reason of a dead letter', () => {
  it.each<[unknown, string]>([
    ['no such table', 'no such table'],
    ['a\u0000\u001b[31m\nb', 'a [31m b'],
    ['\ud800', 'no reason was given'],
    ['', 'no reason was given'],
    [{ status: 500 }, 'no reason was given'],
    [undefined, 'no reason was given'],
    ['y'.repeat(500_000), 'y'.repeat(1_024)],
  ])('%j', (reason, expected) => {
    expect(reasonOf(reason)).toBe(expected);
  });
});

const service = useService();

it('whatever a handler throws, an event is set aside after its tries, and nothing more is billed', async () => {
  const topic = freshTopic();
  const desk = await service.join(topic, 'desk');
  const kitchen = await service.join(topic, 'kitchen');
  const thrown = [new Error('y'.repeat(500_000)), Object.assign(new Error(), { message: { status: 500 } }), 'a\u0000b'];
  let calls = 0;
  await kitchen.subscribe(
    ({ data }) => {
      calls++;
      throw thrown[data as number];
    },
    { group: 'g', retry: { maxAttempts: 2, baseMs: 5, maxMs: 10 } },
  );
  for (const data of thrown.keys()) await desk.publish({ type: 'x', data });
  const setAside = () => kitchen.signals.filter(({ kind }) => kind === 'dead-lettered').length;
  await vi.waitFor(() => expect(setAside()).toBe(thrown.length), 10_000);
  await vi.waitFor(() => expect(service.service.counts().deadLettered).toBe(thrown.length), 5_000);
  expect(calls).toBe(2 * thrown.length);
});
