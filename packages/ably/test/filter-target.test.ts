import { describe, expect, it, test } from 'vitest';
import { listOf, pushedTo } from '../../core/test/filter/push-down-pushed.ts';
import { ably } from '../src/filter-target.ts';

describe('Ably', () => {
  test.each([
    ["type = 'a' AND region = 'b'", 'name == `"a"` && headers.region == `"b"`', 'TRUE'],
    ["type = 'a' OR source = 'b'", 'name == `"a"` || headers.source == `"b"`', 'TRUE'],
    ["note = '5'", 'headers.note == `"5"` || headers.note == `5`', 'TRUE'],
    ["note != 'x'", 'headers.note != `null` && headers.note != `"x"`', 'TRUE'],
    ['priority > 5', 'headers.priority != `null` && headers.priority >= `6`', 'TRUE'],
    ['note > 5', 'headers.note != `null`', 'note >= 6'],
    ["subject = '`'", 'headers.subject == `"\\u0060"`', 'TRUE'],
    ["2nd = 'x'", 'headers."2nd" == `"x"`', 'TRUE'],
    ["type LIKE 'order.%'", '', "type LIKE 'order.%'"],
    ["EXISTS region AND type LIKE 'order.%'", 'headers.region != `null`', "type LIKE 'order.%'"],
  ])('%s', (filter, native, left) => {
    const pushed = pushedTo(ably, filter);
    expect([pushed.text, pushed.left]).toEqual([native, left]);
  });

  it('leaves a list out that is too long for the name of a channel', () => {
    const pushed = pushedTo(ably, `type IN (${listOf(200)}) AND region = 'eu'`);
    expect(pushed.text).toBe('headers.region == `"eu"`');
    const both = pushedTo(ably, `type IN (${listOf(30)}) AND source IN (${listOf(30)})`);
    expect(both.text).toMatch(/^name == [^&]*$/);
    expect(both.reasons).toEqual([expect.stringContaining('1300 bytes')]);
    expect(pushed.reasons).toEqual([expect.stringContaining('more than 100 values')]);
  });
});
