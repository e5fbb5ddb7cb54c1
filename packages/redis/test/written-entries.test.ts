import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { WrittenEntries } from '../src/written-entries.ts';

const clientThat = (xrange: () => Promise<unknown[]>) => ({ xrange }) as unknown as Redis;

it('is known once the server has answered, and not before', async () => {
  const written = new WrittenEntries();
  written.add('stream', '1-0');
  const silent = clientThat(() => Promise.reject(new Error('Command timed out')));
  // Taken for lost, it would be announced although all is there.
  await expect(written.areThere(silent)).rejects.toMatchObject({ code: 'timeout' });
  const forbidden = clientThat(() => Promise.reject(new Error('NOPERM this user has no permissions')));
  expect(await written.areThere(forbidden)).toBe(false);
  expect(await written.areThere(clientThat(async () => [['1-0', []]]))).toBe(true);
  expect(await written.areThere(clientThat(async () => []))).toBe(false);
});
