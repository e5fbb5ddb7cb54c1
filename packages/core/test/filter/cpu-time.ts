import { expect } from 'vitest';

/**
 * Runs it, and fails if that took more processor time than allowed. The wall clock would also count what else the machine does.
 */
export function withinCpuMs<Result>(limitMs: number, act: () => Result): Result {
  const begin = process.cpuUsage();
  try {
    return act();
  } finally {
    const { user, system } = process.cpuUsage(begin);
    expect((user + system) / 1_000).toBeLessThan(limitMs);
  }
}
