import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entityName, topicName } from '../src/names.ts';

const topics = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~/-]{0,199}$/);

describe('topicName', () => {
  it.each([
    ['orders', 'orders'],
    ['a/b.c_d-e', 'a/b.c_d-e'],
  ])('%s stays', (topic, name) => expect(topicName('', topic)).toBe(name));

  it.each(['Orders', 'a~b', 'a//b', 'a/', 'a.', 'a/subscriptions/b', 'orders-0123456789ab'])(
    '%s is hashed',
    (topic) => {
      expect(topicName('', topic)).toMatch(/-[0-9a-f]{12}$/);
      expect(topicName('', topic)).not.toBe(topic);
    },
  );

  it('goes behind the prefix', () => {
    expect(topicName('app/', 'orders')).toBe('app/orders');
    expect(topicName('app/', 'Orders')).toMatch(/^app\/orders-[0-9a-f]{12}$/);
  });

  it('is one that Service Bus takes and tells from all others, whatever their case', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(topics, (topic) => {
        const name = topicName('', topic);
        expect(name).toMatch(/^[a-z0-9](?:[a-z0-9._/-]{0,198}[a-z0-9])?$/);
        expect(seen.get(name) ?? topic).toBe(topic);
        seen.set(name, topic);
      }),
    );
  });
});

describe('entityName', () => {
  it('can be read, and takes 50 characters at most', () => {
    expect(entityName('durable', 'Kitchen~1', 'menu')).toMatch(/^durable\.kitchen-1\.menu-[0-9a-f]{12}$/);
    const long = entityName('group', 'r'.repeat(50), 'g'.repeat(50), 'keyed');
    expect(long.length).toBeLessThanOrEqual(50);
  });

  it('tells apart what differs in case, length or place', () => {
    const names = [['a', 'b'], ['ab'], ['a.b'], ['A', 'b'], ['', 'a', 'b'], ['a', '', 'b']].map((parts) =>
      entityName(...parts),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it('is always one that Service Bus takes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { minLength: 1, maxLength: 4 }), (parts) => {
        expect(entityName(...parts)).toMatch(/^[a-z0-9](?:[a-z0-9._-]{0,48}[a-z0-9])?$/);
      }),
    );
  });
});
