import { vi } from 'vitest';

/** One second, the default, is short where other files run beside it: as long as `expect.poll` waits, ms. */
const TIMEOUT_MS = 10_000;

const waitFor = vi.waitFor;
vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === 'number' ? options : { timeout: TIMEOUT_MS, ...options });
