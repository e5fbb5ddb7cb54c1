import { describe, expect, test } from 'vitest';
import { bench, idsIn, reasonsIn, refusal } from './harness.ts';

const path = (name: string) => `t/Subscriptions/${name}`;

describe('a topic', () => {
  test('puts a copy into each subscription whose rules match', () => {
    const { broker, send, listen } = bench();
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 'all');
    broker.entities.createSubscription(
      't',
      'red',
      {},
      {
        name: 'colour',
        filter: { kind: 'sql', expression: "colour = 'red'" },
      },
    );
    broker.entities.createSubscription(
      't',
      'labelled',
      {},
      {
        name: 'label',
        filter: { kind: 'correlation', label: 'x' },
      },
    );
    broker.entities.createSubscription('t', 'none', {}, { name: 'none', filter: { kind: 'false' } });
    const red = listen(path('RED'), 10);
    send('t', { messageId: 'a', properties: { colour: 'red' } });
    send('t', { messageId: 'b', label: 'x' });
    expect(red.ids()).toEqual(['a']);
    expect(['all', 'labelled', 'none'].map((name) => idsIn(broker, path(name)))).toEqual([['a', 'b'], ['b'], []]);
    const [first] = broker.source(path('labelled')).peek(1, 1);
    expect(first).toMatchObject({ sequenceNumber: 1, enqueuedSequenceNumber: 2 });
  });

  test('counts a message once, whatever number of subscriptions holds it', () => {
    const { broker, send, listen } = bench();
    broker.entities.createTopic('t');
    for (const name of ['a', 'b']) broker.entities.createSubscription('t', name);
    send('t', { size: 1_000 });
    expect(broker.entities.topic('t')!.sizeInBytes).toBe(1_000);
    listen(path('a'), 1, 'receive-and-delete');
    expect(broker.entities.topic('t')!.sizeInBytes).toBe(500);
    broker.entities.deleteSubscription('t', 'b');
    expect(broker.entities.topic('t')!.sizeInBytes).toBe(0);
  });

  test('makes one copy for all rules without action, and one for each rule with one', () => {
    const { broker, send } = bench();
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 's');
    const filter = { kind: 'true' } as const;
    broker.entities.createRule('t', 's', { name: 'plain', filter });
    broker.entities.createRule('t', 's', { name: 'red', filter, action: { expression: "SET colour = 'red'" } });
    broker.entities.createRule('t', 's', { name: 'gone', filter, action: { expression: 'REMOVE colour' } });
    send('t', { properties: { colour: 'blue' } });
    const copies = broker
      .source(path('s'))
      .peek(1, 10)
      .map(({ content }) => Object.fromEntries(content.applicationProperties));
    expect(copies).toHaveLength(3);
    expect(copies).toContainEqual({ colour: 'blue' });
    expect(copies).toContainEqual({ colour: 'red', RuleName: 'red' });
    expect(copies).toContainEqual({ RuleName: 'gone' });
  });

  test('gives a subscription its rules as they are at the time', () => {
    const { broker, send } = bench();
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 's');
    expect(broker.entities.rules('t', 's')).toMatchObject([{ name: '$Default', filter: { kind: 'true' } }]);
    broker.entities.deleteRule('t', 's', '$default');
    send('t', { messageId: 'a' });
    broker.entities.createRule('t', 's', { name: 'x', filter: { kind: 'sql', expression: 'a = 1' } });
    send('t', { messageId: 'b', properties: { a: 1n } });
    broker.entities.updateRule('t', 's', { name: 'X', filter: { kind: 'sql', expression: 'a = 2' } });
    send('t', { messageId: 'c', properties: { a: 1n } });
    expect(idsIn(broker, path('s'))).toEqual(['b']);
    expect(broker.entities.rule('t', 's', 'x')).toMatchObject({ filter: { expression: 'a = 2' } });
    expect(refusal(() => broker.entities.deleteRule('t', 's', 'y'))).toBe('amqp:not-found');
    expect(refusal(() => broker.entities.updateRule('t', 's', { name: 'y', filter: { kind: 'true' } }))).toBe(
      'amqp:not-found',
    );
    const again = () => broker.entities.createRule('t', 's', { name: 'X', filter: { kind: 'true' } });
    expect(refusal(again)).toBe('com.microsoft:entity-already-exists');
    const wrong = () => broker.entities.createRule('t', 's', { name: 'w', filter: { kind: 'sql', expression: 'a =' } });
    expect(refusal(wrong)).toBe('com.microsoft:argument-error');
  });

  test('dead-letters what a rule cannot be evaluated for, where the subscription says so', () => {
    const { broker, send } = bench();
    broker.entities.createTopic('t');
    const rule = { name: 'r', filter: { kind: 'sql', expression: 'a / 0 = 1' } } as const;
    broker.entities.createSubscription('t', 'keeps', { deadLetteringOnFilterEvaluationExceptions: true }, rule);
    broker.entities.createSubscription('t', 'drops', { deadLetteringOnFilterEvaluationExceptions: false }, rule);
    broker.entities.createSubscription('t', 'other');
    send('t', { messageId: 'a', properties: { a: 1n } });
    expect(reasonsIn(broker, `${path('keeps')}/$DeadLetterQueue`)).toEqual(['FilterEvaluationError']);
    expect(reasonsIn(broker, `${path('drops')}/$DeadLetterQueue`)).toEqual([]);
    expect(idsIn(broker, path('other'))).toEqual(['a']);
  });

  test('dead-letters what an action makes too large, or has no session for the subscription', () => {
    const { broker, send } = bench();
    broker.entities.createTopic('t');
    broker.entities.createSubscription(
      't',
      'large',
      {},
      {
        name: 'r',
        filter: { kind: 'true' },
        action: { expression: 'SET b = a' },
      },
    );
    broker.entities.createSubscription('t', 'sessions', { requiresSession: true });
    send('t', { properties: { a: 'x'.repeat(32_000), c: 'x'.repeat(20_000) }, size: 53_000 });
    expect(reasonsIn(broker, `${path('large')}/$DeadLetterQueue`)).toEqual(['HeaderSizeExceeded']);
    expect(reasonsIn(broker, `${path('sessions')}/$DeadLetterQueue`)).toEqual(['Session ID is null.']);
  });

  test('tells subscriptions when it is deleted', () => {
    const { broker, clock, send, listen } = bench();
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 's', { autoDeleteOnIdleMs: 300_000 });
    send('t');
    const { source, got, receiver } = listen(path('s'), 1);
    const gone: string[] = [];
    source.onGone(({ condition }) => gone.push(condition));
    const stop = source.onGone(() => gone.push('not this one'));
    stop();
    const target = broker.target('t');
    target.onGone(({ condition }) => gone.push(condition));
    broker.entities.deleteTopic('t');
    expect(gone).toEqual(['amqp:not-found', 'amqp:not-found']);
    expect(refusal(() => target.send([]))).toBe('amqp:not-found');
    expect(refusal(() => source.peek(1, 1))).toBe('amqp:not-found');
    expect(refusal(() => receiver.settle(got[0]!.lockToken!, { kind: 'complete' }))).toBe('amqp:not-found');
    expect(clock.timers).toBe(0);
  });

  test('is sent to; its subscriptions are received from', () => {
    const { broker } = bench();
    broker.entities.createTopic('t');
    broker.entities.createSubscription('t', 's');
    expect(refusal(() => broker.source('t'))).toBe('amqp:not-allowed');
    expect(refusal(() => broker.target(path('s')))).toBe('amqp:not-allowed');
    expect(refusal(() => broker.target(`${path('s')}/$DeadLetterQueue`))).toBe('amqp:not-allowed');
    for (const missing of ['x', path('x'), 'x/$DeadLetterQueue', 'x/Subscriptions/s']) {
      expect(refusal(() => broker.target(missing))).toBe('amqp:not-found');
      expect(refusal(() => broker.source(missing))).toBe('amqp:not-found');
    }
  });

  test('serves 2,000 subscriptions, each with its own rule', () => {
    const { broker, send } = bench();
    broker.entities.createTopic('t');
    for (let at = 0; at < 2_000; at++) {
      const filter = { kind: 'sql', expression: `colour = 'c${at}' OR colour = 'all'` } as const;
      broker.entities.createSubscription('t', `s${at}`, {}, { name: 'r', filter });
    }
    send('t', { properties: { colour: 'c7' } });
    expect(broker.counts()).toMatchObject({ active: 1, entities: 2_001 });
    send('t', { properties: { colour: 'all' } });
    expect(broker.counts().active).toBe(2_001);
    expect(refusal(() => broker.entities.createSubscription('t', 'one-more'))).toBe('amqp:resource-limit-exceeded');
    const sql = { name: 'more', filter: { kind: 'sql', expression: '1=1' } } as const;
    expect(refusal(() => broker.entities.createRule('t', 's0', sql))).toBe('amqp:resource-limit-exceeded');
    const replaced = { name: 'r', filter: { kind: 'sql', expression: '1=1' } } as const;
    expect(refusal(() => broker.entities.updateRule('t', 's0', replaced))).toBeUndefined();
  });
});
