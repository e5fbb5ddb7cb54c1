import { evaluateFilter, FILTER_TARGETS, planFilter, parseFilter as readFilter } from '@polycast/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAttribute } from '../../../../core/src/filter/attribute-value.ts';
import { events, filters, TYPES } from '../../../../core/test/filter/push-down-cases.ts';
import { compileRule, type FilterDescription, type PropertyValue } from '../../../src/service-bus/rules/index.ts';
import { messageOf, ruleOf } from './messages.ts';

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

const manyEvents = fc.array(events, { minLength: 10, maxLength: 10 });
const options = fc.constantFrom({}, { types: TYPES });
const passes = (filter: Parameters<typeof evaluateFilter>[0], event: Event) => {
  const { value, error } = evaluateFilter(filter, event);
  return error === undefined && value === true;
};

describe('what core pushes down', () => {
  it('as SQL is read here, never drops what passes, and with the residual says what the filter says', () => {
    let pushed = 0;
    fc.assert(
      fc.property(filters, manyEvents, options, fc.boolean(), (tree, given, how, timestamps) => {
        const { native, residual } = planFilter(tree, FILTER_TARGETS['service-bus-sql'], how);
        if (native.value !== undefined) pushed++;
        const rule = ruleOf(native.value?.sqlExpression ?? '1=1');
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

  it('as correlation filters does so too', () => {
    let pushed = 0;
    fc.assert(
      fc.property(filters, manyEvents, options, fc.boolean(), (tree, given, how, timestamps) => {
        const { native, residual } = planFilter(tree, FILTER_TARGETS['service-bus-correlation'], how);
        if (native.value !== undefined) pushed++;
        const rules = (native.value ?? [{}]).map(({ contentType, applicationProperties = {} }, at) => {
          const filter: FilterDescription = {
            kind: 'correlation',
            ...(contentType !== undefined && { contentType }),
            properties: new Map(Object.entries(applicationProperties)),
          };
          return compileRule({ name: `rule-${at}`, filter, createdAtMs: 0 });
        });
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
  ])('%s is exact', (text, how) => {
    const { native } = planFilter(readFilter(text), FILTER_TARGETS['service-bus-sql'], how);
    expect(native.value).toBeDefined();
    expect(() => ruleOf(native.value!.sqlExpression)).not.toThrow();
  });
});
