import type { Address, SourceRequest } from '@polycast/core/adapter';
import { planFilter } from '@polycast/core/filter';
import { describe, expect, it } from 'vitest';
import { filterTarget, groupRule, readerRule } from '../src/rules.ts';
import { planSource } from '../src/subscription-layout.ts';

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

describe('the rule of a group', () => {
  const addresses: readonly Address[] = ['*', 'role:a'];

  it('is one for everyone and the role, alone and in lists, and tells keys from none', () => {
    const text = (keyed: boolean, filter?: unknown) => textOf(groupRule({ addresses, filter }, keyed));
    const isFor =
      "(user.cloudEvents_to IS NULL OR user.cloudEvents_to IN ('role:a') OR user.cloudEvents_to LIKE '%,%' AND (user.cloudEvents_to LIKE '%role:a%'))";
    expect(text(false)).toBe(`${isFor} AND user.cloudEvents_partitionkey IS NULL`);
    expect(text(true)).toBe(`${isFor} AND user.cloudEvents_partitionkey IS NOT NULL`);
    expect(text(false, native('table > 5'))).toMatch(/ AND user.cloudEvents_partitionkey IS NULL AND \(.*table/);
  });
});

describe('what serves a source', () => {
  const request = (more: Partial<SourceRequest>): SourceRequest => ({
    addresses: ['*', 'role:kitchen', 'instance:k1'],
    group: undefined,
    durable: undefined,
    startFrom: 'new',
    filter: undefined,
    lockMs: 30_000,
    pollTimeoutMs: 1_000,
    maxDeliveries: 5,
    maxUnsettled: 1_000,
    ...more,
  });
  const reader = { instance: 'k1', link: 'me', unique: 'u1' };
  const inGroup = (group: string): Partial<SourceRequest> => ({ group, addresses: ['*', 'role:kitchen'] });
  const names = (more: Partial<SourceRequest>, unique = 'u1') =>
    planSource(request(more), { ...reader, unique }).subscriptions.map(({ name }) => name);

  it('is one subscription, new each time, for a plain one', () => {
    const plan = planSource(request({}), reader);
    expect(plan.subscriptions).toHaveLength(1);
    expect(plan.subscriptions[0]).toMatchObject({ autoDelete: true, requiresSession: false, isExclusive: true });
    expect(plan.ending).toEqual({ kind: 'delete' });
    expect(names({}, 'u2')).not.toEqual(names({}, 'u1'));
  });

  it('is another one for what is for the instance alone, so that each finds its own without the right to create', () => {
    const addresses: Address[] = ['instance:k1', 'role:~control'];
    const [own] = planSource(request({ addresses }), reader).subscriptions;
    expect(own).toMatchObject({ autoDelete: true, requiresSession: false, isExclusive: true });
    expect(own.name).not.toBe(names({})[0]);
    expect(textOf(own.rules[0] as { filter: object })).not.toContain('IS NULL OR user.cloudEvents_to');
  });

  it('is the same one for a durable one that comes again, and stays', () => {
    const plan = planSource(request({ durable: 'menu' }), reader);
    expect(plan.subscriptions[0]).toMatchObject({ autoDelete: false });
    expect(plan.ending).toEqual({ kind: 'keep' });
    expect(names({ durable: 'menu' }, 'u2')).toEqual(names({ durable: 'menu' }, 'u1'));
    expect(names({ durable: 'Menu' })).not.toEqual(names({ durable: 'menu' }));
  });

  it('is two that all members of a group share: one of them requires sessions', () => {
    const plan = planSource(request(inGroup('kitchen/g')), reader);
    expect(plan.subscriptions.map(({ requiresSession }) => requiresSession)).toEqual([false, true]);
    expect(names(inGroup('kitchen/g'), 'u2')).toEqual(names(inGroup('kitchen/g')));
  });

  it('differs for groups of one name that belong to different roles', () => {
    const groups = [
      'a/g',
      'b/g',
      'A/g',
      'a/G',
      'a.g/g',
      'a/g.g',
      'a/g.keyed',
      'a/keyed',
      `${LONGEST}/${LONGEST}a`,
      `${LONGEST}/${LONGEST}b`,
    ];
    const all = groups.flatMap((group) => names(inGroup(group)));
    expect(new Set(all).size).toBe(2 * groups.length);
  });

  it('ends with the last member of the group, whose mark is in the first of the two', () => {
    const { ending, subscriptions } = planSource(request(inGroup('kitchen/g')), reader);
    const [rules, sessions] = subscriptions.map((one) => one.rules.map(({ name }) => name));
    expect(ending).toEqual({ kind: 'leave', mark: rules?.[0] });
    expect(sessions).not.toContain(rules?.[0]);
    const other = planSource(request(inGroup('kitchen/g')), { ...reader, unique: 'u2' });
    expect(other.subscriptions[0].rules[0]?.name).not.toBe(rules?.[0]);
  });

  it('stays for a durable group, which says so in both', () => {
    const plan = planSource(request({ ...inGroup('kitchen/g'), durable: 'g' }), reader);
    expect(plan.subscriptions.map(({ autoDelete }) => autoDelete)).toEqual([false, false]);
    expect(plan.subscriptions.map(({ rules }) => rules[0]?.name)).toEqual(['mark.durable', 'mark.durable']);
    expect(plan.ending).toEqual({ kind: 'keep' });
    expect(names({ ...inGroup('kitchen/g'), durable: 'g' })).toEqual(names(inGroup('kitchen/g')));
  });

  it('has names and rules that Service Bus takes, however long the names are', () => {
    const addresses: Address[] = ['*', `role:${LONGEST}`, `instance:${LONGEST}`];
    const group = `${LONGEST}/${LONGEST}`;
    for (const more of [{}, { durable: LONGEST }, { group }, { group, durable: LONGEST }]) {
      const plan = planSource(request({ addresses, ...more }), {
        instance: LONGEST,
        link: 'abcdefgh',
        unique: '0123456789ab',
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
