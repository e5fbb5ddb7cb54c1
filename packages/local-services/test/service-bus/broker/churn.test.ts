import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { type Bench, bench } from './harness.ts';

setFlagsFromString('--expose-gc');
const gc: () => void = runInNewContext('gc');

/** Bytes that many rounds leave behind, after as many to warm up. No `expect` within: the runner keeps something of each. */
async function left(made: Bench, rounds: number, round: (at: number) => void | Promise<void>): Promise<number> {
  const run = async (first: number) => {
    for (let at = first; at < first + rounds; at++) await round(at);
    // What has a finaliser goes the second time.
    gc();
    await new Promise((resolve) => setImmediate(resolve));
    gc();
    return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  };
  const before = await run(0);
  const after = await run(rounds);
  // Whatever is held is held until here.
  expect(made.broker.counts().active).toBe(0);
  return after - before;
}

const ALLOWED_BYTES = 300_000;

test('subscriptions that come and go leave nothing behind', async () => {
  const made = bench();
  made.broker.entities.createTopic('t');
  let received = 0;
  const grown = await left(made, 5_000, (at) => {
    const name = `s${at}`;
    const filter = { kind: 'sql', expression: `a = '${name}' OR b = 1` } as const;
    made.broker.entities.createSubscription('t', name, { autoDeleteOnIdleMs: 300_000 }, { name: 'r', filter });
    made.send('t', { properties: { a: name }, ttlMs: 60_000 });
    received += made.listen(`t/Subscriptions/${name}`, 10).got.length;
    made.broker.entities.deleteSubscription('t', name);
  });
  expect(received).toBe(10_000);
  expect(grown).toBeLessThan(ALLOWED_BYTES);
  expect(made.clock.timers).toBe(0);
});

test('sessions, locks, times to live and duplicates leave nothing behind', async () => {
  const made = bench();
  const { broker, clock } = made;
  broker.entities.createQueue('q', { requiresSession: true, requiresDuplicateDetection: true });
  const source = broker.source('q');
  const grown = await left(made, 10_000, async (at) => {
    const sessionId = `s${at}`;
    made.send('q', { messageId: sessionId, sessionId, ttlMs: 600_000 });
    const session = await source.acceptSession(at % 2 === 0 ? sessionId : null, 'peek-lock', { timeoutMs: 0 });
    const receiver = session.start(({ lockToken }) => receiver.settle(lockToken!, { kind: 'complete' }));
    receiver.credit = 1;
    source.setSessionState(sessionId, new Uint8Array(10));
    source.setSessionState(sessionId, null);
    session.release();
    clock.advance(100);
  });
  expect(grown).toBeLessThan(ALLOWED_BYTES);
  clock.advance(600_000);
  expect(broker.entities.queue('q')!.sizeInBytes).toBe(0);
  expect(clock.timers).toBe(0);
});

test('receivers that come and go, and messages that fail, leave nothing behind', async () => {
  const made = bench();
  made.broker.entities.createQueue('q', { maxDeliveryCount: 2 });
  const grown = await left(made, 10_000, () => {
    made.send('q', { ttlMs: 600_000 });
    for (let attempt = 0; attempt < 2; attempt++) {
      const { receiver, got } = made.listen('q', 1);
      receiver.settle(got[0]!.lockToken!, { kind: 'abandon' });
      receiver.close();
    }
    made.listen('q/$DeadLetterQueue', 1, 'receive-and-delete').receiver.close();
    made.clock.advance(100);
  });
  expect(grown).toBeLessThan(ALLOWED_BYTES);
  expect(made.broker.counts()).toMatchObject({ active: 0, deadLettered: 0 });
});
