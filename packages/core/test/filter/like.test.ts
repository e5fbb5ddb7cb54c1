import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileLike, escapeLike, likeTokens } from '../../src/filter/like.ts';
import { withinCpuMs } from './cpu-time.ts';

/** By definition: every way to spread the text over the pattern. */
function fits(tokens: readonly ('%' | '_' | string)[], text: readonly string[]): boolean {
  const [first, ...rest] = tokens;
  if (first === undefined) return text.length === 0;
  if (first === '%') return fits(rest, text) || (text.length > 0 && fits(tokens, text.slice(1)));
  if (text.length === 0) return false;
  return (first === '_' || first.slice(1) === text[0]) && fits(rest, text.slice(1));
}

function definition(pattern: string): readonly string[] {
  const tokens: string[] = [];
  const chars = [...pattern];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === '\\' && (chars[at + 1] === '%' || chars[at + 1] === '_')) tokens.push(`=${chars[++at]}`);
    else tokens.push(char === '%' || char === '_' ? char : `=${char}`);
  }
  return tokens;
}

const alphabet = ['a', 'b', '%', '_', '\\', '😀', '\ud83d', '\ude00', '\n'];
const patterns = fc.array(fc.constantFrom(...alphabet, '%', '_'), { maxLength: 8 }).map((parts) => parts.join(''));
const texts = fc.array(fc.constantFrom(...alphabet), { maxLength: 7 }).map((parts) => parts.join(''));

describe('LIKE', () => {
  test('fits what its definition fits', () => {
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        expect(compileLike(pattern)(text)).toBe(fits(definition(pattern), [...text]));
      }),
      { numRuns: 20_000 },
    );
  });

  test('long pieces with _ fit what a regular expression fits', () => {
    const piece = fc.array(fc.constantFrom('a', 'b', '_', '_', '😀'), { minLength: 30, maxLength: 70 });
    const text = fc.array(fc.constantFrom('a', 'a', 'b', '😀'), { minLength: 40, maxLength: 300 });
    fc.assert(
      fc.property(piece, text, fc.nat({ max: 299 }), fc.boolean(), (parts, chars, place, plant) => {
        // Planted, as it would hardly ever fit by chance.
        const fitting = parts.map((part, at) => (part === '_' ? chars[at % chars.length]! : part));
        if (plant) chars.splice(place % chars.length, 0, ...fitting);
        const like = compileLike(`%${parts.join('')}%b%`);
        const expected = new RegExp(`${parts.join('').replaceAll('_', '.')}.*b`, 'su').test(chars.join(''));
        expect(like(chars.join(''))).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('an escaped text fits itself alone', () => {
    fc.assert(
      fc.property(fc.oneof(texts, patterns, fc.string({ unit: 'binary' })), texts, (text, other) => {
        const fitsText = compileLike(escapeLike(text));
        expect(fitsText(text)).toBe(true);
        expect(fitsText(other)).toBe(other === text);
      }),
      { numRuns: 5_000 },
    );
  });

  test('pieces', () => {
    expect(likeTokens('a%%_b\\%\\_\\c\\\\%%')).toEqual([{ text: 'a' }, '%', '_', { text: 'b%_\\c\\%' }, '%']);
    expect(likeTokens('')).toEqual([]);
    expect(likeTokens('\\')).toEqual([{ text: '\\' }]);
  });

  test('one code point', () => {
    expect(compileLike('_')('😀')).toBe(true);
    expect(compileLike('__')('😀')).toBe(false);
    expect(compileLike('%\ude00')('😀')).toBe(false);
    expect(compileLike('\ud83d%')('😀')).toBe(false);
    expect(compileLike('_')('\ud83d')).toBe(true);
  });

  test.each([
    ['%a'.repeat(5_000), 'a'.repeat(200_000)],
    [`${'%a'.repeat(5_000)}%b`, 'a'.repeat(200_000)],
    [`${'%a_'.repeat(2_000)}%b`, 'a'.repeat(200_000)],
    [`${'%_'.repeat(10_000)}b`, 'a'.repeat(200_000)],
    ['%'.repeat(200_000), 'a'.repeat(200_000)],
    [`%${'a'.repeat(200)}_b%`, 'a'.repeat(200_000)],
    [`%${'a_'.repeat(1_000)}b%`, 'a'.repeat(100_000)],
    [`%${'_a'.repeat(5_000)}b%`, '😀a'.repeat(30_000)],
  ])('takes no time that grows beyond pattern × text (%#)', (pattern, text) => {
    withinCpuMs(500, () => compileLike(pattern)(text));
  });
});
