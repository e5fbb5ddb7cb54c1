import { expect, test } from 'vitest';
import { isInRange } from '../src/doctor/version-range.ts';

const range = '^5.9.0 || ^6.0.0';

test.each([
  ['5.9.0', range, true],
  ['5.11.1', range, true],
  ['6.4.0', range, true],
  ['5.8.2', range, false],
  ['4.28.5', range, false],
  ['7.0.0', range, false],
  ['6.0.0-beta.1', range, false],
  ['7.10.0-beta.2', '^7.9.5', false],
  ['0.2.3', '^0.2.1', true],
  ['0.3.0', '^0.2.1', false],
  ['0.0.2', '^0.0.1', false],
  ['1.0.0', '>=0', true],
])('%s in %s: %s', (version, asked, expected) => {
  expect(isInRange(version, asked)).toBe(expected);
});
