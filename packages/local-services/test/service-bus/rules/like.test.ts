import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileLike } from '../../../src/service-bus/rules/like.ts';

/** The same by an engine that knows nothing of it. */
function asRegExp(pattern: string, escapedBy: string | undefined): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const unit = pattern[at]!;
    const literal = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    if (unit === escapedBy && at + 1 < pattern.length) source += literal(pattern[++at]!);
    else if (unit === '%') source += '[^]*?';
    else source += unit === '_' ? '[^]' : literal(unit);
  }
  return new RegExp(`^${source}$`);
}

const escapes = fc.constantFrom(undefined, '!', '%', '_', 'a');

describe('LIKE', () => {
  it('is what the regular expression says', () => {
    const units = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 });
    fc.assert(
      fc.property(units('ab!%_é\n'), units('aab!%%__é\n'), escapes, (text, pattern, escapedBy) => {
        expect(compileLike(pattern, escapedBy)(text)).toBe(asRegExp(pattern, escapedBy).test(text));
      }),
      { numRuns: 20_000 },
    );
  });

  it('so with pieces of any length, with and without holes', () => {
    const piece = fc.string({
      unit: fc.constantFrom('a', 'a', 'a', 'b', '_'),
      minLength: 1,
      maxLength: 70,
      size: 'max',
    });
    const about = fc.tuple(
      fc.array(piece, { minLength: 1, maxLength: 3 }),
      fc.string({ unit: fc.constantFrom('a', 'b') }),
    );
    fc.assert(
      fc.property(about, fc.boolean(), ([pieces, noise], spoil) => {
        const pattern = `%${pieces.join('%')}%`;
        let text = noise + pieces.join(noise).replaceAll('_', 'c') + noise;
        if (spoil) text = text.slice(0, -noise.length - 1);
        expect(compileLike(pattern, undefined)(text)).toBe(asRegExp(pattern, undefined).test(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads a text of one property and a pattern of a whole filter in no time that grows with both', () => {
    const text = `${'a'.repeat(32_767)}b`;
    for (const pattern of [`%${'a_'.repeat(500)}c%`, `%${'a'.repeat(1_000)}c%`, '%_a'.repeat(340), '%a%c%a%']) {
      expect(compileLike(pattern, undefined)(text)).toBe(false);
    }
    expect(compileLike(`%${'a_'.repeat(500)}b`, undefined)(text)).toBe(true);
  });
});
