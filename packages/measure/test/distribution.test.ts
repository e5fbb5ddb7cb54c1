import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Distribution } from '../src/latency/distribution.ts';

function of(values: readonly number[]): Distribution {
  const distribution = new Distribution();
  for (const value of values) distribution.add(value);
  return distribution;
}

describe('distribution', () => {
  const times = fc.array(fc.double({ min: 0.01, max: 500_000, noNaN: true }), { minLength: 1, maxLength: 300 });

  it('finds quantiles to 3 digits, beyond its first range too', () => {
    fc.assert(
      fc.property(times, (values) => {
        const sorted = [...values].sort((a, b) => a - b);
        const { p50, max } = of(values).quantiles();
        const exact = sorted[Math.ceil(sorted.length / 2) - 1]!;
        expect(Math.abs(p50 - exact)).toBeLessThanOrEqual(exact * 0.002 + 0.0002);
        expect(Math.abs(max - sorted.at(-1)!)).toBeLessThanOrEqual(sorted.at(-1)! * 0.002 + 0.0002);
      }),
    );
  });

  it('adds up over processes', () => {
    fc.assert(
      fc.property(times, times, (left, right) => {
        const sum = Distribution.decode(of(left).encode());
        sum.addAll(Distribution.decode(of(right).encode()));
        expect(sum.count).toBe(left.length + right.length);
        expect(sum.quantiles()).toEqual(of([...left, ...right]).quantiles());
      }),
    );
  });

  it('has a curve that only rises and says no more than was measured', () => {
    const curve = of(Array.from({ length: 1_000 }, (_, at) => (at * 7919) % 1000)).curve();
    expect(curve.at(0)).toMatchObject({ percentile: 0 });
    expect(curve.at(-1)!.percentile).toBe(100);
    expect(curve.every((point, at) => at === 0 || point.ms >= curve[at - 1]!.ms)).toBe(true);
    expect(curve.some((point) => point.percentile > 99.9 && point.percentile < 100)).toBe(false);
  });

  it('is all zero when nothing was measured', () => {
    expect(new Distribution().quantiles()).toEqual({ p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });
  });
});
