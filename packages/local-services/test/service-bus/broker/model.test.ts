import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Delivered, Outcome, ReceiveMode, Receiver, SessionLock } from '../../../src/service-bus/broker/index.ts';
import { content } from './content.ts';
import { bench, refusal } from './harness.ts';
import { type Known, Model } from './model.ts';

const LOCK_MS = 10_000;
const KINDS = ['complete', 'abandon', 'defer', 'dead-letter'] as const;
type Kind = (typeof KINDS)[number];
const DESCRIPTION = { lockDurationMs: LOCK_MS, maxDeliveryCount: 3, deadLetteringOnMessageExpiration: true };

function outcome(kind: Kind): Outcome {
  return kind === 'dead-letter' ? { kind, reason: 'refused' } : { kind };
}

/** One of several, whatever the number. */
function pick<T>(of: readonly T[], at: number): T | undefined {
  return of[at % of.length];
}

const at = fc.nat(1_000);
const kind = fc.constantFrom(...KINDS);
const ttlMs = fc.constantFrom(1_500, 12_500, 40_000, Number.POSITIVE_INFINITY);
const common = [
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('send' as const), ttlMs, count: fc.integer({ min: 1, max: 4 }), at }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('schedule' as const), ttlMs, inMs: fc.constantFrom(1_000, 5_000, 30_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), at }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('settle' as const), at, kind }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('receive deferred' as const), at }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('credit' as const), at, credit: fc.integer({ min: 0, max: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 700, 3_000, 10_000, 60_000) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('renew' as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), count: fc.integer({ min: 1, max: 3 }) }) },
] as const;

/** What links may do within the call that hands them a message. */
const within = fc.constantFrom<'hold' | 'send' | 'close' | Kind>('hold', 'hold', 'hold', 'send', 'close', ...KINDS);

/** A queue and its model, told the same. */
function pair(description: object) {
  const { broker, clock } = bench();
  broker.entities.createQueue('q', { ...DESCRIPTION, ...description });
  const [target, source] = [broker.target('q'), broker.source('q')];
  const model = new Model({ lockMs: LOCK_MS, maxDeliveryCount: 3 });
  let sent = 0;
  const send = (ttlMs: number, inMs = 0, sessionId?: string) => {
    const id = `m${++sent}`;
    // No two are due at the same time: which would be first is not said.
    const scheduledAtMs = inMs === 0 ? 0 : clock.now() + inMs + sent;
    const message = model.send(id, clock.now(), ttlMs, scheduledAtMs, sessionId);
    const parts = { messageId: id, ttlMs, scheduledAtMs, ...(sessionId !== undefined && { sessionId }) };
    return { message, content: content(parts) };
  };
  /** That a message may be handed out now, and is what the model says. */
  const checkDelivery = ({ message, lockToken }: Delivered, mode: ReceiveMode, candidates: readonly Known[]) => {
    model.pass(clock.now());
    const known = model.byId(message.content.messageId);
    expect(known.place).toBe('waiting');
    expect(known.number).toBe(
      Math.min(...candidates.filter(({ place }) => place === 'waiting').map(({ number }) => number)),
    );
    expect(message).toMatchObject({
      sequenceNumber: known.number,
      deliveryCount: known.failures,
      expiresAtMs: known.expiresAtMs,
    });
    expect(lockToken === undefined).toBe(mode === 'receive-and-delete');
    return known;
  };
  const check = () => {
    model.pass(clock.now());
    const places = model.in('waiting', 'locked', 'deferred', 'locked-deferred', 'scheduled');
    const stateOf = ({ place, wasScheduled }: Known) => {
      if (place === 'deferred' || place === 'locked-deferred') return 'deferred';
      return wasScheduled ? 'scheduled' : 'active';
    };
    expect(
      source.peek(1, 250).map((copy) => [copy.content.messageId, copy.sequenceNumber, copy.state, copy.deliveryCount]),
    ).toEqual(places.map((known) => [known.id, known.number, stateOf(known), known.failures]));
    const dead = broker.source('q/$DeadLetterQueue').peek(1, 250);
    expect(
      new Map(dead.map(({ content }) => [content.messageId, content.applicationProperties.get('DeadLetterReason')])),
    ).toEqual(new Map(model.in('dead').map(({ id, reason }) => [id, reason])));
    const scheduled = model.in('scheduled').length;
    expect(broker.entities.queue('q')!.counts).toMatchObject({
      active: places.length - scheduled,
      scheduled,
      deadLettered: dead.length,
    });
  };
  /** Nothing is left behind. */
  const end = () => {
    broker.entities.deleteQueue('q');
    expect(clock.timers).toBe(0);
  };
  return { broker, clock, target, source, model, send, checkDelivery, check, end };
}

const sessions = { requiresSession: true };

/** What is the same with and without sessions. @returns false: it is something else */
function doCommon(made: ReturnType<typeof pair>, step: { do: string } & Record<string, unknown>): boolean {
  const { clock, target, source, model, send } = made;
  const deferred = model.in('deferred');
  const position = step.at as number;
  switch (step.do) {
    case 'advance':
      clock.advance(step.ms as number);
      return true;
    case 'cancel': {
      const message = pick(model.in('scheduled'), position);
      if (message === undefined) return true;
      message.place = 'gone';
      target.cancelScheduled([message.number]);
      return true;
    }
    case 'delete': {
      const old = model.in('waiting').slice(0, step.count as number);
      for (const message of old) message.place = 'gone';
      expect(source.deleteBatch(step.count as number, clock.now() + 1)).toBe(old.length);
      return true;
    }
    case 'schedule': {
      const { message, content } = send(
        step.ttlMs as number,
        step.inMs as number,
        made.source.requiresSession ? 'a' : undefined,
      );
      expect(target.send([content])).toEqual([message.number]);
      return true;
    }
    case 'receive deferred': {
      if (source.requiresSession) return false;
      const message = pick(deferred, position);
      if (message === undefined) {
        expect(refusal(() => source.receiveDeferred([1_000], 'peek-lock'))).toBe('com.microsoft:message-not-found');
        return true;
      }
      const receive = () => source.receiveDeferred([message.number], 'peek-lock');
      if (message.expiresAtMs <= clock.now()) {
        message.place = 'dead';
        message.reason = 'TTLExpiredException';
        expect(refusal(receive)).toBe('com.microsoft:message-not-found');
      } else {
        const [delivered] = receive();
        model.lock(message, delivered!.lockToken!, clock.now() + LOCK_MS);
      }
      return true;
    }
    default:
      return false;
  }
}

test('a queue does what its model does, whatever happens', () => {
  const step = fc.oneof(
    ...common,
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('open' as const),
        mode: fc.constantFrom<ReceiveMode>('peek-lock', 'peek-lock', 'receive-and-delete'),
        within,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), at }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const made = pair({});
      const { clock, target, source, model, send, checkDelivery, check } = made;
      const receivers: Receiver[] = [];
      const open = (mode: ReceiveMode, act: 'hold' | 'send' | 'close' | Kind) => {
        const receiver = source.receive(mode, (delivered) => {
          const known = checkDelivery(delivered, mode, model.messages);
          if (mode === 'receive-and-delete') known.place = 'gone';
          else model.lock(known, delivered.lockToken!, clock.now() + LOCK_MS);
          if (act === 'close') receiver.close();
          else if (act === 'send') {
            if (model.messages.length < 200) target.send([send(12_500).content]);
          } else if (act !== 'hold' && mode === 'peek-lock') {
            model.settle(known, act, clock.now());
            receiver.settle(delivered.lockToken!, outcome(act));
          }
        });
        receivers.push(receiver);
      };
      open('peek-lock', 'hold');
      for (const step of steps) {
        if (!doCommon(made, step)) {
          switch (step.do) {
            case 'send':
              target.send(Array.from({ length: step.count }, () => send(step.ttlMs).content));
              break;
            case 'settle': {
              const message = pick(model.in('locked', 'locked-deferred'), step.at);
              if (message === undefined) break;
              const token = message.token!;
              model.settle(message, step.kind, clock.now());
              source.settle(token, outcome(step.kind));
              expect(refusal(() => source.settle(token, outcome(step.kind)))).toBe('com.microsoft:message-lock-lost');
              break;
            }
            case 'renew': {
              const message = pick(model.in('locked', 'locked-deferred'), step.at);
              if (message === undefined) break;
              message.lockedUntilMs = clock.now() + LOCK_MS;
              expect(source.renewLocks([message.token!])).toEqual([message.lockedUntilMs]);
              break;
            }
            case 'open':
              open(step.mode, step.within);
              break;
            case 'close':
              pick(receivers, step.at)!.close();
              break;
            case 'credit':
              pick(receivers, step.at)!.credit = step.credit;
              break;
          }
        }
        check();
      }
      made.end();
    }),
    { numRuns: 300 },
  );
}, 60_000);

test('sessions do what their model does, whatever happens', async () => {
  const sessionId = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    ...common,
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('accept' as const), sessionId: fc.option(sessionId), within }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), at }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
      const made = pair(sessions);
      const { clock, target, source, model, send, checkDelivery, check } = made;
      const held = new Map<string, { lock: SessionLock; receiver: Receiver; untilMs: number }>();
      const of = (id: string, ...places: Known['place'][]) =>
        model.in(...places).filter(({ sessionId }) => sessionId === id);
      for (const step of steps) {
        if (!doCommon(made, step)) {
          switch (step.do) {
            case 'send': {
              const id = pick(['a', 'b', 'c'], step.at)!;
              target.send(Array.from({ length: step.count }, () => send(step.ttlMs, 0, id).content));
              break;
            }
            case 'settle': {
              const message = pick(model.in('locked', 'locked-deferred'), step.at);
              if (message === undefined) break;
              const token = message.token!;
              model.settle(message, step.kind, clock.now());
              source.settle(token, outcome(step.kind), message.sessionId);
              break;
            }
            case 'renew': {
              const [id, session] = pick([...held], step.at) ?? [];
              if (session === undefined) break;
              session.untilMs = clock.now() + LOCK_MS;
              for (const message of of(id!, 'locked', 'locked-deferred')) message.lockedUntilMs = session.untilMs;
              expect(source.renewSession(id!)).toBe(session.untilMs);
              break;
            }
            case 'receive deferred': {
              const message = pick(model.in('deferred'), step.at);
              if (message === undefined) break;
              const receive = () => source.receiveDeferred([message.number], 'peek-lock', message.sessionId);
              const session = held.get(message.sessionId!);
              if (session === undefined) expect(refusal(receive)).toBe('com.microsoft:session-lock-lost');
              else if (message.expiresAtMs <= clock.now()) {
                message.place = 'dead';
                message.reason = 'TTLExpiredException';
                expect(refusal(receive)).toBe('com.microsoft:message-not-found');
              } else model.lock(message, receive()[0]!.lockToken!, session.untilMs);
              break;
            }
            case 'accept': {
              const free = ['a', 'b', 'c'].filter((id) => !held.has(id));
              const expected =
                step.sessionId === null
                  ? free.filter((id) => of(id, 'waiting').length > 0)
                  : free.filter((id) => id === step.sessionId);
              const result = await source
                .acceptSession(step.sessionId, 'peek-lock', { timeoutMs: 0 })
                .catch(({ condition }) => condition as string);
              if (typeof result === 'string') {
                expect(expected).toEqual([]);
                expect(result).toBe(
                  step.sessionId === null ? 'com.microsoft:timeout' : 'com.microsoft:session-cannot-be-locked',
                );
                break;
              }
              const id = result.sessionId;
              expect(expected).toContain(id);
              const session = {
                lock: result,
                receiver: undefined as unknown as Receiver,
                untilMs: clock.now() + LOCK_MS,
              };
              expect(result.lockedUntilMs).toBe(session.untilMs);
              held.set(id, session);
              result.onLost(({ condition }) => {
                if (condition === 'com.microsoft:session-lock-lost')
                  expect(session.untilMs).toBeLessThanOrEqual(clock.now());
                held.delete(id);
              });
              session.receiver = result.start((delivered) => {
                expect(held.get(id)).toBe(session);
                const known = checkDelivery(
                  delivered,
                  'peek-lock',
                  model.messages.filter(({ sessionId }) => sessionId === id),
                );
                expect(known.sessionId).toBe(id);
                model.lock(known, delivered.lockToken!, session.untilMs);
                if (step.within === 'send') {
                  if (model.messages.length < 200) target.send([send(12_500, 0, id).content]);
                } else if (step.within === 'close') {
                  held.delete(id);
                  for (const message of of(id, 'locked', 'locked-deferred'))
                    model.giveBack(message, clock.now(), false);
                  result.release();
                } else if (step.within !== 'hold') {
                  model.settle(known, step.within, clock.now());
                  session.receiver.settle(delivered.lockToken!, outcome(step.within));
                }
              });
              session.receiver.credit = 2;
              break;
            }
            case 'release': {
              const [id, session] = pick([...held], step.at) ?? [];
              if (session === undefined) break;
              held.delete(id!);
              for (const message of of(id!, 'locked', 'locked-deferred')) model.giveBack(message, clock.now(), false);
              session.lock.release();
              break;
            }
            case 'credit': {
              const [, session] = pick([...held], step.at) ?? [];
              if (session !== undefined) session.receiver.credit = step.credit;
              break;
            }
          }
        }
        check();
      }
      made.end();
    }),
    { numRuns: 300 },
  );
}, 60_000);
