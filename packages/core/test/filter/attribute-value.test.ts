import { describe, expect, test } from 'vitest';
import { BroadcastEvent } from '../../src/envelope/event.ts';
import { attributeReader, readAttribute } from '../../src/filter/attribute-value.ts';

const own = (attributes?: Record<string, string | number | boolean>, more: object = {}) =>
  new BroadcastEvent({ type: 't', source: '/s', id: 7, epoch: 'e1', ...(attributes && { attributes }), ...more });

describe('reading an attribute', () => {
  test('of a BroadcastEvent, those it makes when read among them', () => {
    const event = own(
      { subject: 'x', level: 5, wanted: false },
      { timeMs: 0, expiresAtMs: Date.UTC(2026, 0, 1), sequence: 'e1.0000000007' },
    );
    const json = event.toJSON();
    for (const name of ['specversion', 'id', 'source', 'type', 'time', 'expirytime', 'sequence', 'subject', 'level']) {
      expect([name, readAttribute(event, name)]).toEqual([name, json[name]]);
    }
    expect(readAttribute(event, 'wanted')).toBe(false);
    expect(readAttribute(own(), 'expirytime')).toBeUndefined();
    expect(readAttribute(own(), 'time')).toBeUndefined();
    expect(readAttribute(own(), 'subject')).toBeUndefined();
  });

  test('of a plain object, with values as the language has them', () => {
    const event = {
      text: '',
      whole: -5,
      zero: -0,
      fraction: 1.5,
      large: 2 ** 31,
      small: -(2 ** 31),
      nan: Number.NaN,
      big: 12n,
      vast: 2n ** 40n,
      date: new Date(0),
      bad: new Date(Number.NaN),
      bytes: new Uint8Array([255, 0]),
      url: new URL('http://host/a'),
      list: ['a'],
      nothing: null,
      act: () => 'x',
    };
    const values = Object.fromEntries(Object.keys(event).map((name) => [name, readAttribute(event, name)]));
    expect(values).toEqual({
      text: '',
      whole: -5,
      zero: 0,
      fraction: '1.5',
      large: '2147483648',
      small: -2147483648,
      nan: 'NaN',
      big: 12,
      vast: '1099511627776',
      date: '1970-01-01T00:00:00.000Z',
      bad: undefined,
      bytes: '/wA=',
      url: 'http://host/a',
      list: undefined,
      nothing: undefined,
      act: undefined,
    });
    expect(Object.is(values.zero, 0)).toBe(true);
  });

  test('finds nothing in prototypes, and real attributes of the same name', () => {
    const names = [
      'constructor',
      'epoch',
      'attributes',
      'with',
      'data',
      '__proto__',
      'toString',
      'hasOwnId',
      'dataText',
    ];
    for (const event of [own(), own({ subject: 'x' }), {}, Object.create(null), own(undefined, { data: 'x' })]) {
      for (const name of names) expect([name, readAttribute(event, name)]).toEqual([name, undefined]);
    }
    for (const name of ['constructor', 'epoch', 'attributes', 'with']) {
      expect(readAttribute(own({ [name]: 'mine' }), name)).toBe('mine');
      expect(readAttribute({ [name]: 'mine' }, name)).toBe('mine');
    }
    expect(readAttribute({ data: 'x' }, 'data')).toBeUndefined();
    expect(readAttribute(own({ subject: 'x' }, { sequence: 'other.1' }), 'epoch')).toBeUndefined();
  });

  test('never throws', () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
        getOwnPropertyDescriptor() {
          throw new Error('no');
        },
        getPrototypeOf() {
          throw new Error('no');
        },
      },
    );
    for (const event of [hostile, null, undefined, 'text', 5]) {
      for (const name of [
        'type',
        'source',
        'subject',
        'id',
        'length',
        'name',
        'constructor',
        'expirytime',
        'data',
        'x',
      ]) {
        expect(attributeReader(name)(event as never)).toBeUndefined();
      }
    }
  });
});
