import { describe, expect, test } from 'vitest';
import { bench, idsIn, idsOf, reasonsIn, refusal } from './harness.ts';

describe('auto-forwarding', () => {
  test('moves messages on at once, to a queue or through a topic', () => {
    const { broker, send, listen } = bench();
    broker.entities.createQueue('end');
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 's', { forwardTo: 'END' });
    broker.entities.createQueue('start', { forwardTo: 't' });
    const { got, ids } = listen('end', 10);
    send('end', { messageId: 'before' });
    send('start', { messageId: 'a' });
    expect(ids()).toEqual(['before', 'a']);
    expect(got[1]!.message).toMatchObject({ sequenceNumber: 2, enqueuedSequenceNumber: 1 });
    expect(broker.counts()).toMatchObject({ active: 2 });
    expect(refusal(() => broker.source('start').receive('peek-lock', () => {}))).toBe('amqp:not-allowed');
    expect(broker.billing.byEntity().get('start')).toEqual(
      new Map([
        ['send', 1],
        ['forward', 1],
      ]),
    );
    expect(broker.billing.byEntity().get('t/subscriptions/s')).toEqual(new Map([['forward', 1]]));
  });

  test('takes what is there when it is switched on, and what comes back later', () => {
    const { broker, send, listen } = bench();
    broker.entities.createQueue('end');
    broker.entities.createQueue('q', { autoDeleteOnIdleMs: 300_000 });
    for (const messageId of ['locked', 'a']) send('q', { messageId });
    const { got, receiver, source } = listen('q', 1);
    const gone: string[] = [];
    source.onGone(({ condition }) => gone.push(condition));
    const { description } = broker.entities.updateQueue('q', { forwardTo: 'end' });
    expect(description.autoDeleteOnIdleMs).toBe(Number.POSITIVE_INFINITY);
    expect(gone).toEqual(['amqp:not-allowed']);
    expect(idsIn(broker, 'end')).toEqual(['a']);
    receiver.settle(got[0]!.lockToken!, { kind: 'abandon' });
    expect(idsIn(broker, 'end')).toEqual(['a', 'locked']);
    broker.entities.updateQueue('q', { forwardTo: undefined });
    send('q', { messageId: 'stays' });
    expect(idsIn(broker, 'q')).toEqual(['stays']);
  });

  test('ends after four hops, also in a circle', () => {
    const { broker, send } = bench();
    for (const path of ['f', 'e', 'd', 'c', 'b', 'a']) {
      broker.entities.createQueue(path, path === 'f' ? {} : { forwardTo: String.fromCharCode(path.charCodeAt(0) + 1) });
    }
    send('b', { messageId: 'four' });
    send('a', { messageId: 'five' });
    expect(idsIn(broker, 'f')).toEqual(['four']);
    const dead = 'e/$Transfer/$DeadLetterQueue';
    expect([idsIn(broker, dead), reasonsIn(broker, dead)]).toEqual([['five'], ['MaxTransferHopCountExceeded']]);
    broker.entities.updateQueue('f', { forwardTo: 'd' });
    expect(broker.counts()).toMatchObject({ active: 0, transferDeadLettered: 2 });
    expect(broker.entities.queue('e')!.counts.transferDeadLettered).toBe(1);
  });

  test('keeps what cannot go on in the transfer dead letters', () => {
    const { broker, send } = bench();
    broker.entities.createQueue('end');
    broker.entities.createQueue('q', { forwardTo: 'end' });
    broker.entities.updateQueue('end', { status: 'SendDisabled' });
    send('q');
    broker.entities.deleteQueue('end');
    send('q');
    expect(reasonsIn(broker, 'Q/$transfer/$deadletterqueue')).toEqual([
      'MessagingEntityDisabled',
      'MessagingEntityNotFound',
    ]);
    expect(broker.entities.queue('q')!.counts).toMatchObject({ active: 0, deadLettered: 0, transferDeadLettered: 2 });
    expect(refusal(() => broker.entities.updateQueue('q', { userMetadata: 'x' }))).toBe('amqp:not-found');
  });

  test('of dead letters says where they died', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createQueue('graves');
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 's', {
      deadLetteringOnMessageExpiration: true,
      forwardDeadLetteredMessagesTo: 'graves',
    });
    send('t', { messageId: 'expired', ttlMs: 1_000 });
    send('t', { messageId: 'refused' });
    const { got, receiver } = listen('t/Subscriptions/s', 2);
    receiver.settle(got[1]!.lockToken!, { kind: 'dead-letter', reason: 'no' });
    clock.advance(100_000);
    const [first, second] = broker.source('graves').peek(1, 10);
    expect(idsOf([first!])).toEqual(['refused']);
    expect(first!.deadLetterSource).toBe('t/Subscriptions/s');
    expect(first!.content.applicationProperties.get('DeadLetterReason')).toBe('no');
    // Its time to live begins anew, and ended in the same stretch of time.
    expect(second).toBeUndefined();
    expect(broker.entities.subscription('t', 's')!.counts.deadLettered).toBe(0);
    expect(refusal(() => broker.source('t/Subscriptions/s/$DeadLetterQueue').receive('peek-lock', () => {}))).toBe(
      'amqp:not-allowed',
    );
  });

  test('is refused to itself, to what is not there, and with sessions', () => {
    const { broker } = bench();
    const create = (forwardTo: string, requiresSession = false) =>
      refusal(() => broker.entities.createQueue('q', { forwardTo, requiresSession }));
    expect(create('Q')).toBe('amqp:not-allowed');
    expect(create('missing')).toBe('amqp:not-found');
    broker.entities.createQueue('end');
    expect(create('end', true)).toBe('amqp:not-allowed');
    expect(broker.entities.queue('q')).toBeUndefined();
  });
});
