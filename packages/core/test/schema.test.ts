import * as v from 'valibot';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { EventInputOf, EventOf } from '../src/contract/contract.ts';
import { PolycastError } from '../src/contract/error.ts';
import { checkSchemas, type EventsOf, type InputsOf, validate } from '../src/contract/schema.ts';

const schemas = {
  'order.moved': z.object({ order: z.number(), at: z.iso.datetime().transform((text) => new Date(text)) }),
  'order.closed': v.object({ order: v.number(), tip: v.optional(v.number(), 0) }),
};

describe('types', () => {
  test('publishers give what the schema takes, handlers get what it makes', () => {
    expectTypeOf<InputsOf<typeof schemas>>().toEqualTypeOf<{
      'order.moved': { order: number; at: string };
      'order.closed': { order: number; tip?: number | undefined };
    }>();
    expectTypeOf<EventsOf<typeof schemas>>().toEqualTypeOf<{
      'order.moved': { order: number; at: Date };
      'order.closed': { order: number; tip: number };
    }>();
  });

  test('the type of an event tells the type of its data', () => {
    type Received = EventOf<EventsOf<typeof schemas>>;
    expectTypeOf<Extract<Received, { type: 'order.moved' }>['data']>().toEqualTypeOf<{ order: number; at: Date }>();
    type Published = EventInputOf<InputsOf<typeof schemas>>;
    expectTypeOf<Published['type']>().toEqualTypeOf<'order.moved' | 'order.closed'>();
  });
});

describe('validate', () => {
  test('gives what the schema makes of it', () => {
    expect(validate(schemas, 'order.moved', { order: 1, at: '2026-11-21T00:00:00Z' })).toEqual({
      order: 1,
      at: new Date('2026-11-21T00:00:00Z'),
    });
    expect(validate(schemas, 'order.closed', { order: 1 })).toEqual({ order: 1, tip: 0 });
  });

  test('leaves types without a schema alone, whatever their name', () => {
    const data = {};
    expect(validate(schemas, 'toString', data)).toBe(data);
    expect(validate(schemas, '__proto__', data)).toBe(data);
  });

  test.each(Object.keys(schemas))('names the path of a mistake: %s', (type) => {
    const attempt = () => validate(schemas, type, { order: 'one', at: '2026-11-21T00:00:00Z' });
    expect(attempt).toThrow(PolycastError);
    expect(attempt).toThrow(new RegExp(`schema-mismatch: ${type}: data\\.order: `));
  });

  test('names paths through arrays and odd keys, and counts what is too much', () => {
    const deep = { list: z.object({ items: z.array(z.object({ 'a-b': z.string() })) }) };
    const items = Array.from({ length: 9 }, () => ({ 'a-b': 1 }));
    expect(() => validate(deep, 'list', { items })).toThrow(/data\.items\[0\]\["a-b"\]: .*; and 4 more$/);
  });

  test('waits for asynchronous schemas', async () => {
    const slow = { even: z.number().refine(async (value) => value % 2 === 0, 'must be even') };
    await expect(validate({ even: slow.even }, 'even', 2)).resolves.toBe(2);
    await expect(validate({ even: slow.even }, 'even', 1)).rejects.toMatchObject({ code: 'schema-mismatch' });
  });

  test('refuses what is no schema when connecting', () => {
    expect(checkSchemas(schemas)).toBe(schemas);
    expect(() => checkSchemas({ a: { type: 'object' } })).toThrow(/"a" does not implement Standard Schema/);
    expect(() => checkSchemas(null)).toThrow(TypeError);
  });
});
