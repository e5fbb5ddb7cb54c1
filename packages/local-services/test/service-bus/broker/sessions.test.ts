import { describe, expect, test } from 'vitest';
import type { Delivered, ReceiveMode, SessionLock } from '../../../src/service-bus/broker/index.ts';
import { START_MS } from '../../../src/time/manual-clock.ts';
import { bench, idsIn, idsOf, refusal, rejection } from './harness.ts';

const LOCK_MS = 10_000;

function sessionBench() {
  const made = bench();
  made.broker.entities.createQueue('q', { requiresSession: true, lockDurationMs: LOCK_MS, maxDeliveryCount: 3 });
  const source = made.broker.source('q');
  const open = async (sessionId: string | null, mode: ReceiveMode = 'peek-lock', timeoutMs = 0) => {
    const lock = await source.acceptSession(sessionId, mode, { timeoutMs });
    return { lock, ...start(lock) };
  };
  return { ...made, source, open };
}

function start(lock: SessionLock) {
  const got: Delivered[] = [];
  const receiver = lock.start((delivered) => got.push(delivered));
  receiver.credit = 100;
  return { got, receiver, ids: () => idsOf(got.map(({ message }) => message)) };
}

describe('sessions', () => {
  test('are handed out one link each, with their messages in order', async () => {
    const { send, open, source } = sessionBench();
    for (const messageId of ['a1', 'b1', 'a2']) send('q', { messageId, sessionId: messageId[0]! });
    const a = await open('a');
    const next = await open(null);
    expect([a.ids(), next.ids()]).toEqual([['a1', 'a2'], ['b1']]);
    expect([a.lock.sessionId, next.lock.sessionId]).toEqual(['a', 'b']);
    expect(a.got[0]!.lockedUntilMs).toBe(START_MS + LOCK_MS);
    expect(await rejection(source.acceptSession('a', 'peek-lock', { timeoutMs: 0 }))).toBe(
      'com.microsoft:session-cannot-be-locked',
    );
    expect(await rejection(source.acceptSession(null, 'peek-lock', { timeoutMs: 0 }))).toBe('com.microsoft:timeout');
    send('q', { messageId: 'a3', sessionId: 'a' });
    expect(a.ids()).toEqual(['a1', 'a2', 'a3']);
  });

  test('can be taken by name before there are messages', async () => {
    const { send, open } = sessionBench();
    const { ids } = await open('early');
    send('q', { messageId: 'a', sessionId: 'early' });
    expect(ids()).toEqual(['a']);
  });

  test('are needed to send and to receive', () => {
    const { broker, send, source } = sessionBench();
    expect(refusal(() => send('q'))).toBe('amqp:not-allowed');
    expect(refusal(() => source.receive('peek-lock', () => {}))).toBe('amqp:not-allowed');
    broker.entities.createQueue('plain');
    expect(refusal(() => broker.source('plain').sessionState('a'))).toBe('amqp:not-allowed');
  });

  test('one that becomes free goes to who waits longest', async () => {
    const { clock, send, source, open } = sessionBench();
    const waits = [1, 2, 3].map(() => source.acceptSession(null, 'peek-lock', { timeoutMs: 5_000 }));
    send('q', { messageId: 'a', sessionId: 'a' });
    const first = await waits[0]!;
    expect(first.sessionId).toBe('a');
    first.release();
    const second = await waits[1]!;
    expect(second.sessionId).toBe('a');
    clock.advance(5_000);
    expect(await rejection(waits[2]!)).toBe('com.microsoft:timeout');
    second.release();
    expect((await open(null)).ids()).toEqual(['a']);
  });

  test('are not waited for once nobody listens', async () => {
    const { send, source, open } = sessionBench();
    const controller = new AbortController();
    const wait = source.acceptSession(null, 'peek-lock', { timeoutMs: 5_000, signal: controller.signal });
    controller.abort();
    expect(await rejection(wait)).toBe('com.microsoft:operation-cancelled');
    send('q', { sessionId: 'a' });
    expect((await open(null)).got).toHaveLength(1);
    const aborted = source.acceptSession('b', 'peek-lock', { timeoutMs: 0, signal: controller.signal });
    expect(await rejection(aborted)).toBe('com.microsoft:operation-cancelled');
  });

  test('released with messages unsettled give them back uncounted; lost, counted', async () => {
    const { broker, clock, send, open } = sessionBench();
    for (const messageId of ['a', 'b']) send('q', { messageId, sessionId: 's' });
    const first = await open('s');
    first.lock.release();
    first.lock.release();
    const second = await open('s');
    expect(second.got.map(({ message }) => message.deliveryCount)).toEqual([0, 0]);
    const lost: string[] = [];
    second.lock.onLost(({ condition }) => lost.push(condition));
    clock.advance(LOCK_MS);
    expect(lost).toEqual(['com.microsoft:session-lock-lost']);
    expect(refusal(() => second.receiver.settle(second.got[0]!.lockToken!, { kind: 'complete' }))).toBe(
      'com.microsoft:session-lock-lost',
    );
    const third = await open('s');
    expect(third.ids()).toEqual(['a', 'b']);
    expect(third.got.map(({ message }) => message.deliveryCount)).toEqual([1, 1]);
    clock.advance(LOCK_MS);
    await open('s');
    clock.advance(LOCK_MS);
    expect(idsIn(broker, 'q')).toEqual([]);
    expect(broker.entities.queue('q')!.counts.deadLettered).toBe(2);
  });

  test('stay with who renews them, however long', async () => {
    const { clock, send, source, open } = sessionBench();
    send('q', { sessionId: 's' });
    const { got, receiver } = await open('s');
    for (let round = 0; round < 5; round++) {
      clock.advance(LOCK_MS - 1);
      expect(source.renewSession('s')).toBe(clock.now() + LOCK_MS);
    }
    expect(refusal(() => source.renewLocks([got[0]!.lockToken!]))).toBe('amqp:not-allowed');
    receiver.settle(got[0]!.lockToken!, { kind: 'complete' });
    clock.advance(LOCK_MS);
    expect(refusal(() => source.renewSession('s'))).toBe('com.microsoft:session-lock-lost');
  });

  test('serve an abandoned message before the later ones', async () => {
    const { send, open } = sessionBench();
    for (const messageId of ['a', 'b', 'c']) send('q', { messageId, sessionId: 's' });
    const { got, ids, receiver } = await open('s');
    receiver.credit = 0;
    for (const { lockToken } of [...got]) receiver.settle(lockToken!, { kind: 'abandon' });
    receiver.credit = 2;
    expect(ids()).toEqual(['a', 'b', 'c', 'a', 'b']);
  });

  test('keep a state, with or without messages, until it is cleared', async () => {
    const { broker, send, source, open } = sessionBench();
    expect(refusal(() => source.setSessionState('s', new Uint8Array(1)))).toBe('com.microsoft:session-lock-lost');
    send('q', { sessionId: 'm' });
    const { lock } = await open('s');
    expect(source.sessionState('s')).toBeNull();
    source.setSessionState('s', new Uint8Array([1, 2, 3]));
    expect(refusal(() => source.setSessionState('s', new Uint8Array(1_000_000)))).toBe('amqp:resource-limit-exceeded');
    expect(broker.entities.queue('q')!.sizeInBytes).toBe(203);
    lock.release();
    expect(refusal(() => source.sessionState('s'))).toBe('com.microsoft:session-lock-lost');
    expect(source.sessions(0, 0, 10)).toEqual(['m', 's']);
    expect(source.sessions(START_MS, 0, 10)).toEqual([]);
    expect(source.sessions('active', 0, 10)).toEqual(['m']);
    expect(source.sessions(0, 1, 10)).toEqual(['s']);
    const again = await open('s');
    expect(source.sessionState('s')).toEqual(new Uint8Array([1, 2, 3]));
    source.setSessionState('s', null);
    again.lock.release();
    expect(source.sessions(0, 0, 10)).toEqual(['m']);
    expect(broker.entities.queue('q')!.sizeInBytes).toBe(200);
  });

  test('have their deferred messages and their own peek', async () => {
    const { send, source, open } = sessionBench();
    for (const messageId of ['a', 'b']) send('q', { messageId, sessionId: messageId });
    const a = await open('a');
    a.receiver.settle(a.got[0]!.lockToken!, { kind: 'defer' });
    expect(idsOf(source.peek(1, 10, 'a'))).toEqual(['a']);
    expect(refusal(() => source.receiveDeferred([1], 'peek-lock', 'b'))).toBe('com.microsoft:session-lock-lost');
    await open('b');
    expect(refusal(() => source.receiveDeferred([1], 'peek-lock', 'b'))).toBe('com.microsoft:message-not-found');
    const [again] = source.receiveDeferred([1], 'peek-lock', 'a');
    expect(refusal(() => source.settle(again!.lockToken!, { kind: 'complete' }, 'b'))).toBe(
      'com.microsoft:session-lock-lost',
    );
    a.lock.release();
    const later = await open('a');
    expect(later.got).toEqual([]);
    expect(source.receiveDeferred([1], 'receive-and-delete', 'a')).toHaveLength(1);
  });

  test('are told when the queue is deleted', async () => {
    const { broker, send, source, open } = sessionBench();
    send('q', { sessionId: 'a' });
    const { lock, got, receiver } = await open('a');
    const lost: string[] = [];
    lock.onLost(({ condition }) => lost.push(condition));
    const wait = source.acceptSession(null, 'peek-lock', { timeoutMs: 5_000 });
    broker.entities.deleteQueue('q');
    expect(lost).toEqual(['amqp:not-found']);
    expect(await rejection(wait)).toBe('amqp:not-found');
    expect(refusal(() => receiver.settle(got[0]!.lockToken!, { kind: 'complete' }))).toBe('amqp:not-found');
    expect(await rejection(source.acceptSession('a', 'peek-lock', { timeoutMs: 0 }))).toBe('amqp:not-found');
  });

  test('a closed receiver gives its messages back at once, while the lock stays', async () => {
    const { source, send, open } = sessionBench();
    send('q', { messageId: 'a', sessionId: 's' });
    const { receiver, lock } = await open('s', 'peek-lock');
    receiver.close();
    expect(source.peek(1, 1)[0]!.deliveryCount).toBe(0);
    expect(await rejection(source.acceptSession('s', 'peek-lock', { timeoutMs: 0 }))).toBe(
      'com.microsoft:session-cannot-be-locked',
    );
    lock.release();
    expect((await open(null, 'receive-and-delete')).ids()).toEqual(['a']);
  });
});
