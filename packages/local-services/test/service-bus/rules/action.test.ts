import { describe, expect, it, test } from 'vitest';
import {
  FilterEvaluationError,
  type PropertyValue,
  RuleError,
  TimeSpan,
  Uuid,
} from '../../../src/service-bus/rules/index.ts';
import { messageOf, ruleOf } from './messages.ts';

const id = new Uuid('0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9');
const at = new Date('2026-11-21T10:00:00Z');
const message = messageOf(
  { Quantity: 10n, price: 2.5, colour: 'red', urgent: true, id, at, nothing: null },
  { label: 'Order', correlationid: 'high' },
);

function changesOf(action: string) {
  const { system, user } = ruleOf('1 = 1', action).apply!(message);
  return { system: Object.fromEntries(system), user: Object.fromEntries(user) };
}

describe('an action', () => {
  test.each<[string, Record<string, PropertyValue>]>([
    ['SET size = 3', { size: 3n }],
    ['SET quantity = quantity / 4', { Quantity: 2n }],
    ["SET user.[Big Size] = 'L'", { 'Big Size': 'L' }],
    ['SET COLOUR = price', { colour: 2.5 }],
    // An integer becomes a double where there is one.
    ['SET price = 3', { price: 3 }],
    ['SET quantity = 2.5', { Quantity: 2.5 }],
    ['SET age = at - at', { age: new TimeSpan(0n) }],
    ["SET label = colour + '!'", { label: 'red!' }],
    ['REMOVE colour', { colour: null }],
    ['REMOVE nothing', { nothing: null }],
    ['REMOVE none', {}],
    ['SET none = other', {}],
    ['SET colour = none', { colour: null }],
    ['SET colour = NULL', { colour: null }],
    ['SET x = 1; SET x = x + 1; SET y = X', { x: 2n, y: 2n }],
    ['SET x = 1 SET X = 2', { x: 2n }],
    ['SET x = 1; REMOVE x', { x: null }],
    ['REMOVE colour; SET was = colour', { colour: null }],
  ])('%s', (action, user) => expect(changesOf(action)).toEqual({ user, system: {} }));

  test.each<[string, Record<string, PropertyValue>]>([
    ["SET sys.CorrelationId = 'low'", { correlationid: 'low' }],
    ['SET sys.Subject = sys.Label + sys.CorrelationId', { label: 'Orderhigh' }],
    ["SET sys.Label = 'a'; SET sys.Subject = sys.Label + 'b'", { label: 'ab' }],
    ['REMOVE sys.Label', { label: null }],
    ['SET sys.To = NULL', { to: null }],
    ['SET sys.MessageId = quantity', { messageid: '10' }],
    ['SET sys.SessionId = urgent', { sessionid: 'True' }],
    ['SET sys.ReplyTo = id', { replyto: id.text }],
    ['SET sys.ContentType = at', { contenttype: '2026-11-21T10:00:00.000Z' }],
    ["SET sys.TimeToLive = '1.02:03:04.5'", { timetolive: TimeSpan.ofMs(93_784_500) }],
    ['SET sys.ScheduledEnqueueTimeUtc = at', { scheduledenqueuetimeutc: at }],
    ["SET sys.ScheduledEnqueueTime = '2026-11-21T10:00:00Z'", { scheduledenqueuetimeutc: at }],
  ])('%s', (action, system) => expect(changesOf(action)).toEqual({ system, user: {} }));

  test.each([
    'SET sys.SequenceNumber = 1',
    'REMOVE sys.EnqueuedTimeUtc',
    "SET sys.Body = 'MessageX'",
    'SET x = sys.Body',
    'SET sys.TimeToLive = 60',
    "SET sys.TimeToLive = 'soon'",
    "SET sys.TimeToLive = '00:00'",
    "SET sys.ScheduledEnqueueTimeUtc = '2026-99-99'",
    'SET x = quantity / 0',
  ])('%s fails when it is applied', (action) => {
    expect(() => changesOf(action)).toThrow(FilterEvaluationError);
  });

  it('has at most 32 statements and 1,024 characters', () => {
    expect(Object.keys(changesOf(`${'SET a=a;'.repeat(31)}SET b=1`).user)).toEqual(['b']);
    expect(() => changesOf('SET a=a;'.repeat(33))).toThrow(
      expect.objectContaining({ condition: 'com.microsoft:argument-out-of-range' }),
    );
    expect(() => changesOf(`SET a='${'x'.repeat(1_020)}'`)).toThrow(RuleError);
  });

  it('makes no text longer than a property may be', () => {
    expect(() => changesOf(`SET a = '${'x'.repeat(100)}';${'SET a=a+a;'.repeat(31)}`)).toThrow(FilterEvaluationError);
  });
});
