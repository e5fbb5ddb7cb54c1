import { describe, expect, test } from 'vitest';
import { isOwing, judge } from '../src/history/judge/judge.ts';
import type { ViolationKind } from '../src/history/judge/violation.ts';
import type { Entry, Happening, Promises, RecordedSignal, Subscribed } from '../src/history/record.ts';

const KEPT: Promises = {
  atLeastOnce: true,
  order: true,
  partitionKey: true,
  dedupe: true,
  sharesPlain: false,
  crashRedelivery: true,
  countsExpired: true,
  closeDelivers: true,
};
const FLEETING: Promises = { ...KEPT, atLeastOnce: false, sharesPlain: true, crashRedelivery: false };

/** Writes a record as participants would: one publisher, and those who listen. */
class Script {
  readonly entries: Entry[] = [];
  #at = 0;
  #calls = 0;

  constructor() {
    this.join('pub', 'p0', 'a');
  }

  note(happening: Happening, afterMs = 1): this {
    this.#at += afterMs;
    this.entries.push({ at: this.#at, ...happening });
    return this;
  }

  pass(ms: number): this {
    this.#at += ms;
    return this;
  }

  join(life: string, instance: string, role = 'b'): this {
    return this.note({ what: 'join', life, instance, role, process: `of ${life}` }).note({ what: 'joined', life });
  }

  subscribe(sub: string, life: string, more: Partial<Subscribed> = {}): this {
    this.note({ what: 'subscribe', sub, life, kind: 'plain', tries: 3, concurrency: 1, ...more });
    return this.note({ what: 'subscribed', sub });
  }

  publish(n: number, more: Partial<Extract<Happening, { what: 'publish' }>> = {}): this {
    const copy = more.copy ?? 0;
    this.note({ what: 'publish', life: 'pub', n, copy, to: ['*'], ...more });
    return this.note({ what: 'published', n, copy });
  }

  /** Who published it cannot know whether it was taken. */
  refuse(n: number, code = 'timeout'): this {
    this.note({ what: 'publish', life: 'pub', n, copy: 0, to: ['*'] });
    return this.note({ what: 'refused', n, copy: 0, code });
  }

  call(
    sub: string,
    n: number,
    attempt = 1,
    outcome: 'accepted' | 'failed' | 'rejected' | 'released' = 'accepted',
  ): this {
    const call = this.begin(sub, n, attempt);
    return this.note({ what: 'done', call, outcome });
  }

  /** @returns the call, to be ended later */
  begin(sub: string, n: number, attempt = 1): string {
    const call = `call ${this.#calls++}`;
    this.note({ what: 'call', call, sub, n, id: `id ${n}`, attempt });
    return call;
  }

  signal(life: string, signal: RecordedSignal, sub?: string): this {
    return this.note({ what: 'signal', life, ...(sub === undefined ? {} : { sub }), signal });
  }

  fault(kind: string, loses = false, forgets = false): this {
    return this.note({ what: 'fault', fault: kind, kind, loses, forgets }).note({ what: 'healed', fault: kind });
  }

  crash(life: string): this {
    return this.note({ what: 'crash', process: `of ${life}` });
  }

  /** Everything is over: what is owed is lost. */
  settle(): this {
    return this.note({ what: 'settled' });
  }

  kinds(promises = KEPT): readonly ViolationKind[] {
    return [...new Set(judge(this.entries, promises).violations.map(({ kind }) => kind))];
  }
}

/** A subscriber, open, and the first event handled. */
const listening = (more: Partial<Subscribed> = {}) => new Script().join('sub', 'p1').subscribe('s', 'sub', more);
/** A group of two. */
const group = () =>
  new Script()
    .join('one', 'p1')
    .join('two', 'p2')
    .subscribe('s1', 'one', { kind: 'group', name: 'g' })
    .subscribe('s2', 'two', { kind: 'group', name: 'g' });
/** Three in the group of one role. */
const three = () => group().join('three', 'p3').subscribe('s3', 'three', { kind: 'group', name: 'g' });
const toInstance = { to: ['instance:p1'] } as const;
const toBoth = { to: ['role:b', 'instance:p1'] } as const;
const durable = { kind: 'durable', name: 'd' } as const;

describe('a record without a fault in it is judged to be right', () => {
  test.each<[string, Script]>([
    ['handled once, in order', listening().publish(1).call('s', 1).publish(2).call('s', 2).settle()],
    [
      'a gap of what its publisher gave up, unsure whether it was taken, between two that came, before anybody listened',
      new Script()
        .note({ what: 'publish', life: 'pub', n: 1, copy: 0, to: ['*'] })
        .fault('cut')
        .refuse(2)
        .join('sub', 'p1')
        .subscribe('s', 'sub')
        .note({ what: 'published', n: 1, copy: 0 })
        .call('s', 1)
        .publish(3)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's')
        .call('s', 3)
        .settle(),
    ],
    [
      'refused as closed, by a publisher that leaves',
      listening()
        .note({ what: 'publish', life: 'pub', n: 1, copy: 0, to: ['*'] })
        .note({ what: 'leave', life: 'pub' })
        .note({ what: 'refused', n: 1, copy: 0, code: 'closed' })
        .settle(),
    ],
    [
      'handled by two members: the machine had given the process of one of them no time',
      group().publish(1).call('s1', 1).pass(2_000).note({ what: 'starved', forMs: 1_500 }).call('s2', 1, 2).settle(),
    ],
    ['failed, tried again, handled', listening().publish(1).call('s', 1, 1, 'failed').call('s', 1, 2).settle()],
    [
      'failed every try, dead-lettered',
      listening({ tries: 2 })
        .publish(1)
        .call('s', 1, 1, 'failed')
        .call('s', 1, 2, 'failed')
        .signal('sub', { kind: 'dead-lettered', eventId: 'id 1', attempts: 2 }, 's')
        .settle(),
    ],
    [
      'rejected, dead-lettered, published again, handled',
      listening()
        .publish(1)
        .call('s', 1, 1, 'rejected')
        .signal('sub', { kind: 'dead-lettered', eventId: 'id 1', attempts: 1 }, 's')
        .publish(1, { copy: 1 })
        .call('s', 1)
        .settle(),
    ],
    [
      'for another role',
      listening()
        .publish(1, { to: ['role:c'] })
        .settle(),
    ],
    ['its own event', listening().publish(1, { life: 'sub' }).settle()],
    ['filtered out', listening({ odd: true }).publish(2).publish(3).call('s', 3).settle()],
    [
      'published before the subscription was open',
      new Script().join('sub', 'p1').publish(1).subscribe('s', 'sub').settle(),
    ],
    ['published after it was closed', listening().note({ what: 'close', sub: 's' }).publish(1).settle()],
    [
      'expired at the service while nobody read a durable subscription, announced to the next life',
      listening(durable)
        .crash('sub')
        .publish(1, { ttlMs: 5 })
        .publish(2)
        .join('next', 'p1')
        .subscribe('s2', 'next', durable)
        .signal('next', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's2')
        .call('s2', 2)
        .settle(),
    ],
    ['published when all was over', listening().settle().publish(1)],
    ['in a group without members, when all was over', group().crash('one').crash('two').settle().publish(1)],
    [
      'handled by a subscription that could not be opened, and by the next try',
      new Script()
        .join('sub', 'p1')
        .note({ what: 'subscribe', sub: 's', life: 'sub', kind: 'group', name: 'g', tries: 3, concurrency: 1 })
        .fault('cut')
        .publish(1)
        .call('s', 1)
        .note({ what: 'barred', life: 'sub', sub: 's', code: 'disconnected', message: 'cut' })
        .call('s', 1, 2)
        .note({ what: 'subscribed', sub: 's' })
        .settle(),
    ],
    ['its process was killed', listening().publish(1).crash('sub').settle()],
    [
      'expired and counted',
      listening()
        .publish(1, { ttlMs: 5 })
        .settle()
        .note({ what: 'dropped', life: 'sub', expired: 1, duplicates: 0, overflow: 0 }),
    ],
    [
      'by groups of one name in two roles',
      group()
        .join('other', 'q1', 'c')
        .subscribe('s3', 'other', { kind: 'group', name: 'g' })
        .publish(1)
        .call('s1', 1)
        .call('s3', 1)
        .publish(2, { to: ['role:c'] })
        .call('s3', 2)
        .settle(),
    ],
    ['by an instance past its group', group().publish(1, toInstance).call('s1', 1).settle()],
    ['by an instance and its group', group().publish(1, toBoth).call('s1', 1).call('s2', 1).settle()],
    ['by an instance, for its group as well', group().publish(1, toBoth).call('s1', 1).settle()],
    [
      'given back to the group, and tried again by the instance',
      group().publish(1, toBoth).call('s1', 1, 1, 'failed').call('s2', 1, 2).call('s1', 1).settle(),
    ],
    ['by either member of a group', group().publish(1).call('s1', 1).publish(2).call('s2', 2).settle()],
    [
      'a member was killed, the other took over',
      group()
        .publish(1)
        .note({ what: 'call', call: 'x', sub: 's1', n: 1, id: 'id 1', attempt: 1 })
        .crash('one')
        .call('s2', 1, 2)
        .settle(),
    ],
    ['lost on its way to one member, the other took over', group().publish(1).fault('cut').call('s2', 1, 2).settle()],
    [
      'durable: handled by the next life',
      listening(durable)
        .crash('sub')
        .publish(1)
        .join('next', 'p1')
        .subscribe('s2', 'next', durable)
        .call('s2', 1)
        .settle(),
    ],
    [
      'forgotten with a durable subscription that nobody held',
      listening(durable)
        .crash('sub')
        .publish(1)
        .fault('wipe', true, true)
        .publish(2)
        .join('next', 'p1')
        .subscribe('s2', 'next', durable)
        .publish(3)
        .call('s2', 3)
        .settle(),
    ],
    [
      'published to an empty stream and forgotten while the only reader was cut off',
      listening().fault('cut').publish(1).fault('wipe', true, true).publish(2).call('s', 2).settle(),
    ],
    [
      'a key of a group, of which a part was dropped while a member had it',
      group()
        .publish(1, { key: 'k' })
        .publish(2, { key: 'k' })
        .fault('trim', true)
        .call('s2', 2)
        .call('s1', 1)
        .settle(),
    ],
    [
      'may have lost, says who might not look',
      listening().fault('restart').fault('forbid').signal('sub', { kind: 'reconnected', mayHaveLost: true }).settle(),
    ],
    [
      'forgotten while the reader was cut off, by a stream of which as much was trimmed afterwards as it had read',
      listening()
        .publish(1)
        .call('s', 1)
        .fault('cut')
        .publish(2)
        .fault('wipe', true, true)
        .publish(3)
        .fault('trim', true)
        .publish(4)
        .call('s', 4)
        .settle(),
    ],
    [
      'failed while its subscription closed',
      listening()
        .publish(1)
        .note({ what: 'close', sub: 's' })
        .call('s', 1, 1, 'failed')
        .note({ what: 'closed', sub: 's' })
        .settle(),
    ],
    [
      'lost by trimming, announced',
      listening().fault('trim', true).publish(1).signal('sub', { kind: 'gap', reason: 'trimmed' }, 's').settle(),
    ],
  ])('%s', (_, script) => {
    expect(script.kinds()).toEqual([]);
  });

  test.each<[string, Script]>([
    [
      'lost with the connection, announced when it was back',
      listening().fault('cut').publish(1).signal('sub', { kind: 'reconnected', mayHaveLost: true }).settle(),
    ],
    [
      'lost, announced by an exact gap',
      listening()
        .fault('cut')
        .publish(1)
        .publish(2)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's')
        .call('s', 2)
        .settle(),
    ],
    [
      'lost before a filter could see it, announced',
      listening({ odd: true })
        .fault('cut')
        .publish(2)
        .publish(3)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0' }, 's')
        .call('s', 3)
        .settle(),
    ],
    [
      'published again after another subscription of the broadcaster joined',
      listening().publish(1).call('s', 1).subscribe('late', 'sub').publish(1, { copy: 1 }).settle(),
    ],
    [
      'left out by a filter, published again after another subscription of the broadcaster joined',
      listening({ odd: true })
        .publish(2)
        .subscribe('late', 'sub')
        .publish(2, { copy: 1 })
        .publish(3)
        .call('s', 3)
        .call('late', 3)
        .settle(),
    ],
    [
      'dropped by a close whose time was over, announced',
      listening()
        .publish(1)
        .publish(2)
        .call('s', 1)
        .note({ what: 'close', sub: 's' })
        .signal('sub', { kind: 'gap', reason: 'overflow', count: 1 }, 's')
        .note({ what: 'closed', sub: 's' })
        .settle(),
    ],
    [
      'published twice and lost once, announced',
      listening()
        .fault('cut')
        .publish(1)
        .publish(1, { copy: 1 })
        .call('s', 1)
        .publish(2)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's')
        .call('s', 2)
        .settle(),
    ],
    ['lost, and its publisher sent nothing more', listening().fault('cut').publish(1).settle()],
    [
      'taken by a server that was demoted, with the next one, and the publisher was told',
      listening()
        .fault('demote', true)
        .publish(1)
        .publish(2)
        .signal('pub', { kind: 'reconnected', mayHaveLost: true })
        .settle(),
    ],
    [
      'taken by a server that was demoted, as the first events of a list of addresses, and the publisher was told',
      listening()
        .publish(1, { to: ['role:b'] })
        .call('s', 1)
        .fault('demote', true)
        .publish(2)
        .signal('pub', { kind: 'reconnected', mayHaveLost: true })
        .publish(3)
        .call('s', 3)
        .settle(),
    ],
    [
      'taken by a server that was demoted, and the publisher left before it could know',
      listening().fault('demote', true).publish(1).publish(2).note({ what: 'leave', life: 'pub' }).settle(),
    ],
  ])('at most once: %s', (_, script) => {
    expect(script.kinds(FLEETING)).toEqual([]);
  });

  test('taken by a server that was demoted, and forgotten by the next one before anybody had noticed', () => {
    expect(away().fault('kill-service').subscribe('s2', 'sub2', durable).settle().kinds()).toEqual([]);
  });
});

/** A durable subscription that nobody holds while an event goes to a server that is being demoted. */
const away = () => {
  const script = new Script().join('sub', 'p1').subscribe('s1', 'sub', durable).crash('sub').join('sub2', 'p1');
  script.note({ what: 'fault', fault: 'demote', kind: 'demote', loses: true }).publish(1);
  return script.note({ what: 'healed', fault: 'demote' });
};

describe('a record with a fault planted in it names the fault', () => {
  test.each<[string, ViolationKind, Script]>([
    ['a plain subscription lost an event', 'unannounced', listening().publish(1).publish(2).call('s', 2).settle()],
    ['a group lost an event', 'unannounced', group().publish(1).settle()],
    [
      'the group of another role had what a group lost',
      'unannounced',
      group()
        .join('other', 'q1', 'c')
        .subscribe('s3', 'other', { kind: 'group', name: 'g' })
        .publish(1)
        .call('s3', 1)
        .settle(),
    ],
    [
      'another member had what was for an instance',
      'unannounced',
      group().publish(1, toInstance).call('s2', 1).settle(),
    ],
    ['the group had what was for the instance, too', 'unannounced', group().publish(1, toBoth).call('s2', 1).settle()],
    [
      'one of two subscriptions of an instance lost what was for it',
      'unannounced',
      group().subscribe('s3', 'one', { kind: 'group', name: 'h' }).publish(1, toInstance).call('s1', 1).settle(),
    ],
    ['both ways of an event handled', 'duplicated', group().publish(1, toBoth).call('s1', 1).call('s1', 1).settle()],
    [
      'the group had an event twice beside the instance',
      'duplicated',
      three().publish(1, toBoth).call('s1', 1).call('s2', 1).call('s3', 1, 2).settle(),
    ],
    [
      'what was for an instance tried too often',
      'tries',
      [1, 2, 3, 4]
        .reduce((script, attempt) => script.call('s1', 1, attempt, 'failed'), group().publish(1, toInstance))
        .call('s1', 1, 5)
        .settle(),
    ],
    [
      'a killed member took its event with it',
      'unannounced',
      group()
        .publish(1)
        .note({ what: 'call', call: 'x', sub: 's1', n: 1, id: 'id 1', attempt: 1 })
        .crash('one')
        .settle(),
    ],
    [
      'a durable subscription lost what came while its process was gone',
      'unannounced',
      listening(durable).crash('sub').publish(1).join('next', 'p1').subscribe('s2', 'next', durable).settle(),
    ],
    [
      'forgotten with a durable subscription whose owner could notice',
      'unannounced',
      listening(durable).publish(1).fault('wipe', true, true).publish(2).call('s', 2).settle(),
    ],
    [
      'lost by a durable subscription after it was made again',
      'unannounced',
      listening(durable)
        .crash('sub')
        .fault('wipe', true, true)
        .join('next', 'p1')
        .subscribe('s2', 'next', durable)
        .publish(1)
        .settle(),
    ],
    [
      'trimmed while nobody held the durable subscription, and not said by its next life',
      'unannounced',
      listening(durable)
        .crash('sub')
        .publish(1)
        .fault('trim', true)
        .join('next', 'p1')
        .subscribe('s2', 'next', durable)
        .settle(),
    ],
    [
      'forgotten by a stream that its reader had read from',
      'unannounced',
      listening().publish(1).call('s', 1).fault('cut').publish(2).fault('wipe', true, true).settle(),
    ],
    [
      'failed its only try, never dead-lettered',
      'unannounced',
      listening({ tries: 1 }).publish(1).call('s', 1, 1, 'failed').settle(),
    ],
    [
      'dead-lettered, published again, swallowed',
      'unannounced',
      listening()
        .publish(1)
        .call('s', 1, 1, 'rejected')
        .signal('sub', { kind: 'dead-lettered', eventId: 'id 1' }, 's')
        .publish(1, { copy: 1 })
        .settle(),
    ],
    [
      'close did not deliver what was there',
      'unannounced',
      listening().publish(1).note({ what: 'close', sub: 's' }).note({ what: 'closed', sub: 's' }).settle(),
    ],
    [
      'announced, though the service had kept it',
      'lost',
      listening()
        .fault('cut')
        .publish(1)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's')
        .publish(2)
        .call('s', 2)
        .settle(),
    ],
    [
      'a gap that counts one too few',
      'unannounced',
      listening()
        .fault('trim', true)
        .publish(1)
        .publish(2)
        .publish(3)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's')
        .call('s', 3)
        .settle(),
    ],
    [
      'a gap that counts one too many',
      'false-signal',
      listening()
        .fault('trim', true)
        .publish(1)
        .publish(2)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 2 }, 's')
        .call('s', 2)
        .settle(),
    ],
    [
      'a gap though nothing was missed',
      'false-signal',
      listening()
        .fault('cut')
        .publish(1)
        .call('s', 1)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's')
        .settle(),
    ],
    [
      'a gap that counts what was refused before anything came',
      'false-signal',
      new Script()
        .fault('cut')
        .refuse(1)
        .join('sub', 'p1')
        .subscribe('s', 'sub')
        .publish(2)
        .call('s', 2)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's')
        .settle(),
    ],
    [
      'a gap that counts what a filter may have left out',
      'false-signal',
      listening({ odd: true })
        .fault('trim', true)
        .publish(2)
        .publish(3)
        .signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's')
        .call('s', 3)
        .settle(),
    ],
    [
      'a gap of what an earlier life of the durable subscription had handled',
      'false-signal',
      listening(durable)
        .publish(1)
        .call('s', 1)
        .crash('sub')
        .join('next', 'p1')
        .subscribe('s2', 'next', durable)
        .signal('next', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's2')
        .settle(),
    ],
    [
      'more dropped than there was',
      'false-signal',
      listening()
        .publish(1)
        .call('s', 1)
        .note({ what: 'close', sub: 's' })
        .signal('sub', { kind: 'gap', reason: 'overflow', count: 1 }, 's')
        .note({ what: 'closed', sub: 's' })
        .settle(),
    ],
    [
      'a gap without any fault',
      'false-signal',
      listening().publish(1).call('s', 1).signal('sub', { kind: 'gap', reason: 'trimmed' }, 's').settle(),
    ],
    [
      'trimmed, at least once, when nothing was',
      'false-signal',
      listening().fault('cut').signal('sub', { kind: 'gap', reason: 'trimmed' }, 's').settle(),
    ],
    [
      'may have lost, at least once, when the service was only restarted',
      'false-signal',
      listening().fault('restart-service').signal('sub', { kind: 'reconnected', mayHaveLost: true }).settle(),
    ],
    [
      'may have lost, at least once, when nothing could',
      'false-signal',
      listening().fault('cut').signal('sub', { kind: 'reconnected', mayHaveLost: true }).settle(),
    ],
    ['disconnected out of nowhere', 'false-signal', listening().signal('sub', { kind: 'disconnected' }).settle()],
    [
      'a corrupt event that nobody sent',
      'false-signal',
      listening().signal('sub', { kind: 'corrupt', message: 'no JSON' }).settle(),
    ],
    [
      'expired, though nothing could',
      'false-signal',
      listening().publish(1).call('s', 1).signal('sub', { kind: 'expired', source: '/a/p0', count: 1 }).settle(),
    ],
    [
      'handled again by the same subscription',
      'duplicated',
      listening().fault('cut').publish(1).call('s', 1).call('s', 1).settle(),
    ],
    [
      'handled by two members, without any fault',
      'duplicated',
      group().publish(1).call('s1', 1).call('s2', 1, 2).settle(),
    ],
    [
      'published again where each subscription has a memory of its own, and swallowed',
      'unannounced',
      listening().publish(1).call('s', 1).subscribe('late', 'sub').publish(1, { copy: 1 }).settle(),
    ],
    [
      'a subscription that never opens again',
      'refused',
      new Script()
        .join('sub', 'p1')
        .fault('forbid')
        .note({ what: 'subscribe', sub: 's', life: 'sub', kind: 'plain', tries: 3, concurrency: 1 })
        .settle(),
    ],
    ['out of order', 'reordered', listening().publish(1).publish(2).call('s', 2).call('s', 1).settle()],
    [
      'a key of several addresses out of order in a group, though nothing was dropped',
      'reordered',
      three()
        .fault('trim', true)
        .publish(1, { ...toBoth, key: 'k' })
        .publish(2, { ...toBoth, key: 'k' })
        .call('s1', 1)
        .call('s1', 2)
        .call('s2', 2)
        .call('s3', 1)
        .settle(),
    ],
    [
      'what is for an instance out of order',
      'reordered',
      group().publish(1, toInstance).publish(2, toInstance).call('s1', 2).call('s1', 1).settle(),
    ],
    [
      'a key out of order in a group',
      'reordered',
      group().publish(1, { key: 'k' }).publish(2, { key: 'k' }).call('s1', 2).call('s2', 1).settle(),
    ],
    [
      'tried too often',
      'tries',
      listening({ tries: 2 }).publish(1).call('s', 1, 1, 'failed').call('s', 1, 2, 'failed').call('s', 1, 3).settle(),
    ],
    [
      'given up too early',
      'tries',
      listening({ tries: 3 })
        .fault('cut')
        .publish(1)
        .call('s', 1, 1, 'failed')
        .signal('sub', { kind: 'dead-lettered', eventId: 'id 1', attempts: 3 }, 's')
        .settle(),
    ],
    ['an attempt that no handler saw', 'attempts', listening().fault('cut').publish(1).call('s', 1, 3).settle()],
    [
      'an attempt that is not counted',
      'attempts',
      listening().publish(1).call('s', 1, 1, 'failed').call('s', 1, 1).settle(),
    ],
    ['handled long after it expired', 'late', listening().publish(1, { ttlMs: 50 }).pass(10_000).call('s', 1).settle()],
    [
      'expired, not counted',
      'uncounted',
      listening()
        .publish(1, { ttlMs: 5 })
        .settle()
        .note({ what: 'dropped', life: 'sub', expired: 0, duplicates: 0, overflow: 0 }),
    ],
    [
      'refused for no reason',
      'refused',
      listening()
        .note({ what: 'publish', life: 'pub', n: 1, copy: 0, to: ['*'] })
        .note({ what: 'refused', n: 1, copy: 0, code: 'internal' })
        .settle(),
    ],
    [
      'refused as closed, by a publisher that stays',
      'refused',
      listening()
        .note({ what: 'publish', life: 'pub', n: 1, copy: 0, to: ['*'] })
        .note({ what: 'refused', n: 1, copy: 0, code: 'closed' })
        .settle(),
    ],
    [
      'left something on the service',
      'residue',
      listening()
        .settle()
        .note({ what: 'residue', where: 'on the service', names: ['a group'] }),
    ],
    [
      'a process ended by itself',
      'died',
      listening().note({ what: 'died', process: 'of sub', how: 'exit code 1' }).settle(),
    ],
    ['a process froze', 'silent', listening().note({ what: 'silent', process: 'of sub', forMs: 9_000 }).settle()],
    [
      'a process was busy at rest',
      'busy',
      listening().settle().note({ what: 'idle', process: 'of sub', forMs: 300, cpuMs: 290 }),
    ],
  ])('%s: %s', (_, kind, script) => {
    expect(script.kinds()).toEqual([kind]);
  });

  test('two members handle one key at a time', () => {
    const script = group().publish(1, { key: 'k' }).publish(2, { key: 'k' });
    const first = script.begin('s1', 1);
    script.call('s2', 2).note({ what: 'done', call: first, outcome: 'accepted' }).settle();
    expect(script.kinds()).toEqual(['overlapped']);
  });

  test('at most once: lost without a word, although its publisher went on', () => {
    const script = listening().fault('cut').publish(1).publish(2).call('s', 2).settle();
    expect(script.kinds(FLEETING)).toEqual(['unannounced']);
  });

  test('at most once: lost by a demoted server, although its publisher went on once it was told', () => {
    const script = listening().publish(1).call('s', 1).fault('demote', true).publish(2);
    script.signal('pub', { kind: 'reconnected', mayHaveLost: true }).publish(3).call('s', 3).settle();
    expect(script.kinds(FLEETING)).toEqual(['unannounced']);
  });

  test('lost by a demoted server, and the publisher that noticed left no word', () => {
    const script = away().signal('pub', { kind: 'reconnected', mayHaveLost: true }).fault('kill-service');
    expect(script.subscribe('s2', 'sub2', durable).settle().kinds()).toEqual(['unannounced']);
  });

  test('lost by a demoted server, and nobody noticed, although there was time', () => {
    const script = away().pass(5_000).subscribe('s2', 'sub2', durable).settle();
    expect(script.kinds()).toEqual(['unannounced']);
  });

  test('at most once: lost by a demoted server, and its publisher never noticed', () => {
    const script = listening().fault('demote', true).publish(1).publish(2).pass(5_000).settle();
    expect(script.kinds(FLEETING)).toEqual(['unannounced']);
  });

  test('at most once: lost when published again, and nobody of the broadcaster was there before', () => {
    const script = new Script().join('sub', 'p1').publish(2).subscribe('odd', 'sub', { odd: true });
    script.subscribe('s', 'sub').publish(2, { copy: 1 }).publish(4).call('s', 4).settle();
    expect(script.kinds(FLEETING)).toEqual(['unannounced']);
  });

  test('what is counted says how much was lost, and how much of it unannounced', () => {
    const script = listening().fault('trim', true).publish(1).publish(2).publish(3);
    script.signal('sub', { kind: 'gap', reason: 'sequence', source: '/a/p0', count: 1 }, 's').call('s', 3).settle();
    expect(judge(script.entries, KEPT)).toMatchObject({ published: 3, lost: 2, unannounced: 1, falseSignals: 0 });
  });

  test('before it is settled, a history knows what it still waits for', () => {
    const script = listening().publish(1);
    expect(isOwing(script.entries, KEPT)).toBe(true);
    expect(isOwing(script.call('s', 1).entries, KEPT)).toBe(false);
  });
});
