import { evaluateFilter, type FilterTarget, planFilter, parseFilter as readFilter } from '@polycast/core/filter';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAttribute } from '../../../core/src/filter/attribute-value.ts';
import { events, filters, TYPES } from '../../../core/test/filter/push-down-cases.ts';
import type { CompiledRule, PropertyValue } from '../../../local-services/src/service-bus/rules/index.ts';
import { messageOf, ruleOf } from '../../../local-services/test/service-bus/rules/messages.ts';
import {
  type CorrelationRule,
  type ServiceBusSqlFilter,
  serviceBusCorrelation,
  serviceBusSql,
} from '../../src/filter-target.ts';

type Event = Readonly<Record<string, unknown>>;

/** The message of an event by the AMQP binding, as far as filters see it: times as timestamps, or as texts. */
function messageOfEvent(event: Event, timestamps: boolean) {
  const properties: Record<string, PropertyValue> = {};
  for (const name of Object.keys(event)) {
    const value = readAttribute(event, name);
    if (name === 'datacontenttype' || value === undefined) continue;
    const isTime = timestamps && name === 'time' && !Number.isNaN(Date.parse(String(value)));
    const property = typeof value === 'number' ? BigInt(value) : value;
    properties[`cloudEvents_${name}`] = isTime ? new Date(String(value)) : property;
  }
  const contentType = event.datacontenttype as string | undefined;
  return messageOf(properties, contentType === undefined ? {} : { contenttype: contentType });
}

/** The rules of the subscription. */
function rulesOf(native: unknown): readonly CompiledRule[] {
  if (native === undefined) return [ruleOf({ kind: 'true' })];
  if (!Array.isArray(native)) return [ruleOf((native as ServiceBusSqlFilter).sqlExpression)];
  return (native as readonly CorrelationRule[]).map(({ contentType, applicationProperties = {} }) =>
    ruleOf({
      kind: 'correlation',
      ...(contentType !== undefined && { contentType }),
      properties: new Map(Object.entries(applicationProperties)),
    }),
  );
}

const manyEvents = fc.array(events, { minLength: 10, maxLength: 10 });
const options = fc.constantFrom({}, { types: TYPES });
const passes = (filter: Parameters<typeof evaluateFilter>[0], event: Event) => {
  const { value, error } = evaluateFilter(filter, event);
  return error === undefined && value === true;
};

describe('what is pushed down, on the local service', () => {
  it('as SQL is read here, never drops what passes, and with the residual says what the filter says', () => {
    let pushed = 0;
    fc.assert(
      fc.property(filters, manyEvents, options, fc.boolean(), (tree, given, how, timestamps) => {
        const { native, residual } = planFilter(tree, serviceBusSql, how);
        if (native.value !== undefined) pushed++;
        const [rule] = rulesOf(native.value) as [CompiledRule];
        for (const event of given) {
          const brought = rule.matches(messageOfEvent(event, timestamps));
          const wanted = passes(tree, event);
          expect([event, native.text, brought || !wanted]).toEqual([event, native.text, true]);
          expect([event, native.text, brought && residual.matches(event)]).toEqual([event, native.text, wanted]);
        }
      }),
      { numRuns: 1_500 },
    );
    expect(pushed).toBeGreaterThan(700);
  });

  it('is read here as the target reads it itself', () => {
    fc.assert(
      fc.property(filters, manyEvents, options, (tree, given, how) => {
        for (const target of [serviceBusSql, serviceBusCorrelation] as const) {
          const { native } = planFilter(tree, target as FilterTarget<unknown>, how);
          const rules = rulesOf(native.value);
          for (const event of given) {
            const message = messageOfEvent(event, false);
            const brought = rules.some((rule) => rule.matches(message));
            expect([event, native.text, brought]).toEqual([event, native.text, native.matches(event)]);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('as correlation filters does so too', () => {
    let pushed = 0;
    fc.assert(
      fc.property(filters, manyEvents, options, fc.boolean(), (tree, given, how, timestamps) => {
        const { native, residual } = planFilter(tree, serviceBusCorrelation, how);
        if (native.value !== undefined) pushed++;
        const rules = rulesOf(native.value);
        for (const event of given) {
          const message = messageOfEvent(event, timestamps);
          const brought = rules.some((rule) => rule.matches(message));
          const wanted = passes(tree, event);
          expect([event, native.text, brought || !wanted]).toEqual([event, native.text, true]);
          expect([event, native.text, brought && residual.matches(event)]).toEqual([event, native.text, wanted]);
        }
      }),
      { numRuns: 1_500 },
    );
    expect(pushed).toBeGreaterThan(200);
  });

  it.each([
    ["type = 'order.moved' AND level > 3 OR NOT EXISTS subject", {}],
    ["note LIKE 'a\\%%' AND note IN ('it''s', 'b')", {}],
    ['count + 1 >= -count AND urgent = TRUE', { types: TYPES }],
  ])('takes what it makes of %s', (text, how) => {
    const { native } = planFilter(readFilter(text), serviceBusSql, how);
    expect(native.value).toBeDefined();
    expect(() => ruleOf(native.value!.sqlExpression)).not.toThrow();
  });
});
