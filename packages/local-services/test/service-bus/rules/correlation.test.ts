import { describe, expect, it } from 'vitest';
import { type FilterDescription, type PropertyValue, RuleError } from '../../../src/service-bus/rules/index.ts';
import { messageOf, ruleOf } from './messages.ts';

const correlation = (fields: object): FilterDescription => ({ kind: 'correlation', ...fields });
const properties = (entries: Record<string, PropertyValue>) =>
  correlation({ properties: new Map(Object.entries(entries)) });

describe('a correlation filter', () => {
  it.each([
    ['correlationId', 'correlationid'],
    ['messageId', 'messageid'],
    ['to', 'to'],
    ['replyTo', 'replyto'],
    ['label', 'label'],
    ['sessionId', 'sessionid'],
    ['replyToSessionId', 'replytosessionid'],
    ['contentType', 'contenttype'],
  ])('compares %s with case', (field, system) => {
    const rule = ruleOf(correlation({ [field]: 'Abc' }));
    expect(rule.matches(messageOf({}, { [system]: 'Abc' }))).toBe(true);
    expect(rule.matches(messageOf({}, { [system]: 'abc' }))).toBe(false);
    expect(rule.matches(messageOf({ [system]: 'Abc' }))).toBe(false);
  });

  it('takes what has all of it', () => {
    const rule = ruleOf(correlation({ label: 'a', to: 'b', properties: new Map([['colour', 'red']]) }));
    expect(rule.matches(messageOf({ Colour: 'red' }, { label: 'a', to: 'b' }))).toBe(true);
    expect(rule.matches(messageOf({ Colour: 'blue' }, { label: 'a', to: 'b' }))).toBe(false);
    expect(rule.matches(messageOf({ Colour: 'red' }, { label: 'a' }))).toBe(false);
  });

  it('compares values of one type', () => {
    expect(ruleOf(properties({ n: 5n })).matches(messageOf({ n: 5n }))).toBe(true);
    // A client in JavaScript has one type of number, and administers with doubles.
    expect(ruleOf(properties({ n: 5 })).matches(messageOf({ n: 5n }))).toBe(true);
    expect(ruleOf(properties({ n: '5' })).matches(messageOf({ n: 5n }))).toBe(false);
    expect(ruleOf(properties({ n: true })).matches(messageOf({ n: true }))).toBe(true);
    expect(ruleOf(properties({ n: true })).matches(messageOf({ n: 'true' }))).toBe(false);
    expect(ruleOf(properties({ n: new Date(5) })).matches(messageOf({ n: new Date(5) }))).toBe(true);
    expect(ruleOf(properties({ n: null })).matches(messageOf({ n: null }))).toBe(false);
  });

  it('that asks for nothing takes everything', () => {
    expect(ruleOf(correlation({})).matches(messageOf())).toBe(true);
  });

  it('holds no more than a property can', () => {
    expect(() => ruleOf(properties({ n: 'x'.repeat(32_769) }))).toThrow(RuleError);
    expect(ruleOf(properties({ n: 'x'.repeat(32_768) })).matches(messageOf({ n: 'x'.repeat(32_768) }))).toBe(true);
  });
});

it('the true filter takes everything, the false filter nothing', () => {
  expect(ruleOf({ kind: 'true' }).matches(messageOf())).toBe(true);
  expect(ruleOf({ kind: 'false' }).matches(messageOf())).toBe(false);
});
