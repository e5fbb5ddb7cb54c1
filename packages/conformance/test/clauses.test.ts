import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CASES, CHAPTERS, CLAUSES, clausesDocument, coverage } from '../src/index.ts';

test('every clause that must hold is checked by a case', () => {
  const bare = coverage(CHAPTERS, CASES).filter(
    ({ clause, cases }) => cases.length === 0 && CLAUSES.get(clause)?.grade === 'MUST',
  );
  expect(bare).toEqual([]);
});

test('every case names a clause that exists', () => {
  expect(CASES.filter(({ clause }) => !CLAUSES.has(clause)).map(({ id }) => id)).toEqual([]);
});

test('case ids are unique, and there are enough of them', () => {
  expect(new Set(CASES.map(({ id }) => id)).size).toBe(CASES.length);
  expect(CASES.length).toBeGreaterThanOrEqual(150);
});

test('clause ids are unique', () => {
  expect(CLAUSES.size).toBe(CHAPTERS.reduce((sum, { clauses }) => sum + clauses.length, 0));
});

test('CLAUSES.md says what the data say', async () => {
  const path = new URL('../CLAUSES.md', import.meta.url);
  const document = clausesDocument(CHAPTERS, CASES);
  if (process.env.POLYCAST_UPDATE === '1') await writeFile(path, document);
  expect(await readFile(path, 'utf8')).toBe(document);
});
