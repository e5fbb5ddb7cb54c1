import { expect, test } from 'vitest';
import { START_MS } from '../../../src/time/manual-clock.ts';
import { bench, idsIn, reasonsIn } from './harness.ts';

// Lines of DEVIATIONS.md about the engine that no other test holds.

test('a forwarded message starts its time to live anew', () => {
  const { broker, clock, send } = bench();
  broker.entities.createQueue('end');
  broker.entities.createQueue('q');
  send('q', { ttlMs: 10_000 });
  clock.advance(9_000);
  broker.entities.updateQueue('q', { forwardTo: 'end' });
  const [forwarded] = broker.source('end').peek(1, 1);
  expect(forwarded!.expiresAtMs).toBe(START_MS + 19_000);
});

test('a message for a queue that is full goes to the transfer dead letters', () => {
  const { broker, send } = bench();
  broker.entities.createQueue('end', { maxSizeInMegabytes: 1024 });
  broker.entities.createQueue('q', { forwardTo: 'end' });
  for (let at = 0; at < 4_096; at++) send('end', { size: 262_144 });
  send('q', { messageId: 'one too many' });
  expect(idsIn(broker, 'q/$Transfer/$DeadLetterQueue')).toEqual(['one too many']);
  expect(reasonsIn(broker, 'q/$Transfer/$DeadLetterQueue')).toEqual(['QuotaExceeded']);
});

test('forwarding that is switched on detaches who receives dead letters, too', () => {
  const { broker } = bench();
  broker.entities.createQueue('end');
  broker.entities.createQueue('q');
  const gone: string[] = [];
  broker.source('q/$DeadLetterQueue').onGone(({ condition }) => gone.push(condition));
  broker.entities.updateQueue('q', { forwardTo: 'end' });
  expect(gone).toEqual(['amqp:not-allowed']);
});

test('more than 5,000 may receive from one queue', () => {
  const { broker, send } = bench();
  broker.entities.createQueue('q');
  const got: number[] = [];
  for (let at = 0; at <= 5_000; at++) {
    broker.source('q').receive('receive-and-delete', () => got.push(at)).credit = 1;
  }
  for (let at = 0; at <= 5_000; at++) send('q');
  expect(new Set(got).size).toBe(5_001);
});

test('nobody is throttled, whatever is asked within a second', () => {
  const { broker, send } = bench();
  broker.entities.createQueue('q');
  for (let at = 0; at < 10_000; at++) send('q');
  expect(broker.entities.queue('q')!.counts.active).toBe(10_000);
});

test('what only the cloud has a use for is kept and told back', () => {
  const { broker, send } = bench();
  const told = { enableExpress: true, enableBatchedOperations: false, enablePartitioning: true };
  broker.entities.createTopic('t', { ...told, supportOrdering: false });
  broker.entities.createSubscription('t', 's');
  expect(broker.entities.topic('t')!.description).toMatchObject({ ...told, supportOrdering: false });
  for (const messageId of ['a', 'b', 'c']) send('t', { messageId });
  expect(idsIn(broker, 't/Subscriptions/s')).toEqual(['a', 'b', 'c']);
});
