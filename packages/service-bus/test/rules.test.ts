import type { Address, SourceRequest } from '@polycast/core/adapter';
import { planFilter } from '@polycast/core/filter';
import { describe, expect, it } from 'vitest';
import { type Ending, planSource } from '../src/plan.ts';
import { addressRule, everyoneRule, filterTarget, readerRule, severalRule } from '../src/rules.ts';

const LONGEST = 'x'.repeat(50);
const native = (text: string) => planFilter(text, filterTarget).native.value;
const textOf = ({ filter }: { filter: object }) => (filter as { sqlExpression: string }).sqlExpression;
const ALL: readonly Address[] = ['*', 'role:kitchen', 'instance:k1', 'role:~control'];

describe('the rule of a reader', () => {
  it('asks for its addresses, alone and in lists, and not for its own events', () => {
    expect(textOf(readerRule({ addresses: ALL, filter: undefined, ownLink: 'me' }))).toBe(
      "(user.polycast_link IS NULL OR user.polycast_link <> 'me' OR user.cloudEvents_carboncopy = TRUE) AND " +
        "(user.cloudEvents_to IS NULL OR user.cloudEvents_to IN ('role:kitchen', 'instance:k1', 'role:~control') OR " +
        "user.cloudEvents_to LIKE '%,%' AND (user.cloudEvents_to LIKE '%role:kitchen%' OR user.cloudEvents_to LIKE '%instance:k1%'))",
    );
  });

  it('has the filter beside them', () => {
    const text = textOf(readerRule({ addresses: ['*'], filter: native("type = 'order' OR table > 5"), ownLink: 'me' }));
    expect(text).toContain("(user.cloudEvents_to IS NULL) AND (user.cloudEvents_type = 'order' OR ");
  });

  it('fits with the longest names and the longest filter that the target writes', () => {
    const many = Array.from({ length: 40 }, (_, n) => `region = 'a-rather-long-region-${n}'`).join(' OR ');
    const long = Array.from({ length: 12 }, (_, n) => `attribute${n} = 'value number ${n}'`).join(' AND ');
    const addresses: Address[] = ['*', `role:${LONGEST}`, `instance:${LONGEST}`, 'role:~control'];
    for (const filter of [native(many), native(long)]) {
      const { sqlExpression } = filter as { sqlExpression: string };
      const text = textOf(readerRule({ addresses, filter, ownLink: 'abcdefgh' }));
      expect(text.length).toBeLessThanOrEqual(1_024);
      expect(text).toContain(sqlExpression);
    }
    expect((native(long) as { sqlExpression: string }).sqlExpression.length).toBeGreaterThan(300);
  });

  it('does without a filter that does not fit', () => {
    const filter = { sqlExpression: 'x'.repeat(1_000) };
    expect(textOf(readerRule({ addresses: ALL, filter, ownLink: 'me' }))).not.toContain('xxx');
  });

  it('has one name for one text', () => {
    const rule = (ownLink: string) => readerRule({ addresses: ALL, filter: undefined, ownLink });
    expect(rule('a').name).toBe(rule('a').name);
    expect(rule('a').name).not.toBe(rule('b').name);
  });
});

describe('the rules of a group', () => {
  it('tell keys from none, and lists from single addresses', () => {
    expect(textOf(everyoneRule(false, undefined))).toBe(
      'user.cloudEvents_to IS NULL AND user.cloudEvents_partitionkey IS NULL',
    );
    expect(textOf(severalRule('role:a', true, undefined))).toBe(
      "user.cloudEvents_to LIKE '%,%' AND user.cloudEvents_to LIKE '%role:a%' AND user.cloudEvents_partitionkey IS NOT NULL",
    );
    expect(textOf(addressRule('role:a', false, native('table > 5')))).toMatch(
      /^user.cloudEvents_to = 'role:a' AND user.cloudEvents_partitionkey IS NULL AND \(.*table/,
    );
  });
});

describe('what serves a source', () => {
  const request = (more: Partial<SourceRequest>): SourceRequest => ({
    addresses: ['*', 'role:kitchen', 'instance:k1'],
    group: undefined,
    durable: undefined,
    from: 'new',
    filter: undefined,
    lockMs: 30_000,
    waitMs: 1_000,
    maxAttempts: 5,
    maxUnsettled: 1_000,
    ...more,
  });
  const reader = { instance: 'k1', link: 'me', unique: 'u1', life: 'l1' };
  const names = (more: Partial<SourceRequest>, unique = 'u1', life = 'l1') =>
    planSource(request(more), { ...reader, unique, life }).subscriptions.map(({ name }) => name);

  it('is one subscription, new each time, for a plain one', () => {
    const plan = planSource(request({}), reader);
    expect(plan.subscriptions).toHaveLength(1);
    expect(plan.subscriptions[0]).toMatchObject({ autoDelete: true, requiresSession: false, isExclusive: true });
    expect(plan.ending).toEqual({ kind: 'delete', names: names({}) });
    expect(names({}, 'u2')).not.toEqual(names({}, 'u1'));
  });

  it('is the same one for a durable one that comes again, and stays', () => {
    const plan = planSource(request({ durable: 'menu' }), reader);
    expect(plan.subscriptions[0]).toMatchObject({ autoDelete: false });
    expect(plan.ending).toEqual({ kind: 'keep' });
    expect(names({ durable: 'menu' }, 'u2')).toEqual(names({ durable: 'menu' }, 'u1'));
    expect(names({ durable: 'Menu' })).not.toEqual(names({ durable: 'menu' }));
  });

  it('is shared by the members of a group: what is for one instance, by those of one broadcaster', () => {
    const one = names({ group: 'g' }, 'u1');
    expect(one).toHaveLength(6);
    expect(names({ group: 'g' }, 'u2')).toEqual(one);
    const other = names({ group: 'g' }, 'u3', 'l2');
    expect(one.filter((name) => !other.includes(name))).toEqual([one[2], one[5]]);
    const plan = planSource(request({ group: 'g' }), reader);
    const [no, yes] = [false, true];
    expect(plan.subscriptions.map(({ requiresSession }) => requiresSession)).toEqual([no, no, no, yes, yes, yes]);
    expect(names({ group: 'G' })).not.toEqual(one);
  });

  it('ends with the last member of the broadcaster, of the role, of the group', () => {
    const { ending } = planSource(request({ group: 'g' }), reader);
    const own = names({ group: 'g' });
    expect(ending).toMatchObject({
      kind: 'leave',
      marked: [own[0], own[3]],
      shared: [
        { names: [own[2], own[5]], mayStay: false },
        { names: [own[1], own[4]], mayStay: true },
        { names: [own[0], own[3]], mayStay: true },
      ],
    });
    const { mark, shared } = ending as Ending & { kind: 'leave' };
    for (const { markPrefix } of shared) expect(mark.startsWith(markPrefix)).toBe(true);
  });

  it('is durable for a group that is, but not for an instance in it', () => {
    const plan = planSource(request({ group: 'g', durable: 'g' }), reader);
    expect(plan.subscriptions.map(({ autoDelete }) => autoDelete)).toEqual([false, false, true, false, false, true]);
  });

  it('has names and rules that Service Bus takes, however long the names are', () => {
    const addresses: Address[] = ['*', `role:${LONGEST}`, `instance:${LONGEST}`];
    for (const more of [{}, { durable: LONGEST }, { group: LONGEST }, { group: LONGEST, durable: LONGEST }]) {
      const plan = planSource(request({ addresses, ...more }), {
        instance: LONGEST,
        link: 'abcdefgh',
        unique: '0123456789ab',
        life: '0123456789ab',
      });
      for (const { name, rules } of plan.subscriptions) {
        expect(name).toMatch(/^[a-z0-9](?:[a-z0-9._-]{0,48}[a-z0-9])?$/);
        expect(new Set(rules.map((rule) => rule.name)).size).toBe(rules.length);
        for (const rule of rules) {
          expect(rule.name.length).toBeLessThanOrEqual(50);
          expect(((rule.filter as { sqlExpression?: string }).sqlExpression ?? '').length).toBeLessThanOrEqual(1_024);
        }
      }
    }
  });
});
