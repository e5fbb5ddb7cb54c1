import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, LONGEST, parseDuration, parseTimeSpan } from '../../src/time/duration.ts';

describe('durations', () => {
  it.each([
    ['PT1M', 60_000],
    ['PT0S', 0],
    ['P1D', 86_400_000],
    ['P14D', 1_209_600_000],
    ['P1DT2H3M4.005S', 93_784_005],
    ['PT0.5S', 500],
    ['P1Y', 31_536_000_000],
    ['P1M', 2_592_000_000],
    ['PT300S', 300_000],
    [LONGEST, Infinity],
    ['P10675199DT2H48M5.477539S', Infinity],
    ['PT0.0000001S', 0],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    '',
    'P',
    'PT',
    'P1',
    '1D',
    'P1DT',
    'P1W',
    '-PT1S',
    'PT1.S',
    'PT.5S',
    'pt1s',
    'PT1S ',
    'P1H',
    'PT1D',
    'P99999999D',
    'P10675199DT2H48M5.477581S',
  ])('refuses %j', (text) => expect(parseDuration(text)).toBeUndefined());

  it('writes them in their largest units, and the longest as the service does', () => {
    expect([60_000, 0, 86_400_000, 90_061_500, 3_600_000, Infinity].map(formatDuration)).toEqual([
      'PT1M',
      'PT0S',
      'P1D',
      'P1DT1H1M1.5S',
      'PT1H',
      'P10675199DT2H48M5.4775807S',
    ]);
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 900_000_000_000_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it.each([
    ['00:00:40', 40_000],
    ['0.00:00:40', 40_000],
    ['1.02:03:04.5', 93_784_500],
    ['10675199.02:48:05.4775807', Infinity],
    ['24:00:00', undefined],
    ['40', undefined],
    ['0:0:60', undefined],
  ])('reads the time span %s', (text, ms) => expect(parseTimeSpan(text)).toBe(ms));
});
