import { expect, test } from 'vitest';
import { toBoolean, toInteger, toText } from '../../src/filter/cast.ts';

test.each([
  ['1', 1],
  ['+1', 1],
  ['-1', -1],
  ['-0', 0],
  ['007', 7],
  [`${'0'.repeat(1000)}5`, 5],
  ['2147483647', 2147483647],
  ['-2147483648', -2147483648],
  ['2147483648', undefined],
  ['-2147483649', undefined],
  ['9'.repeat(100_000), undefined],
  ['', undefined],
  ['+', undefined],
  ['-', undefined],
  ['--1', undefined],
  [' 1', undefined],
  ['1 ', undefined],
  ['1e3', undefined],
  ['1.0', undefined],
  ['0x1', undefined],
  ['١', undefined],
  [true, 1],
  [false, 0],
  [-7, -7],
])('%j as an integer', (value, expected) => {
  expect(toInteger(value)).toBe(expected);
});

test.each([
  ['true', true],
  ['TRUE', true],
  ['fAlSe', false],
  [' true', undefined],
  ['yes', undefined],
  ['', undefined],
  ['1', undefined],
  [0, false],
  [-3, true],
  [true, true],
])('%j as a boolean', (value, expected) => {
  expect(toBoolean(value)).toBe(expected);
});

test.each([
  [-10, '-10'],
  [0, '0'],
  [true, 'true'],
  [false, 'false'],
  ['A', 'A'],
])('%j as a text', (value, expected) => {
  expect(toText(value)).toBe(expected);
});
