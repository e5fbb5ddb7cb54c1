import { format } from 'node:util';
import { expect, test, vi } from 'vitest';

test.each([
  ['publish-subscribe', "order.placed { dish: 'soup' }"],
  ['group', 'cake, pie, soup, stew'],
  ['request', "{ ready: true, dish: 'soup' }"],
])('the example %s prints %s, and ends', async (name, printed) => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((...values) => void lines.push(format(...values)));
  try {
    await import(`../examples/${name}.ts`);
  } finally {
    vi.restoreAllMocks();
  }
  expect(lines).toEqual([printed]);
});
