import { expect, it } from 'vitest';
import { SeenLengths } from '../src/stream-state.ts';

it('a length is known to all sources of a link for as long as each says, and the newest counts', () => {
  const lengths = new SeenLengths();
  expect(lengths.of('a', 60_000)).toBeUndefined();
  lengths.add('a', 3);
  expect(lengths.of('a', 60_000)).toBe(3);
  expect(lengths.of('b', 60_000)).toBeUndefined();
  expect(lengths.of('a', -1)).toBeUndefined();
  lengths.add('a', 0);
  expect(lengths.of('a', 60_000)).toBe(0);
});
