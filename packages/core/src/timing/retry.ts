import { count, type OptionNames, optionsOf } from '../contract/checked-option.ts';
import type { RetryOptions } from '../contract/contract.ts';
import { codeOf, ERROR_CODES } from '../contract/error.ts';
import type { Runtime } from './runtime.ts';

export const DEFAULT_MAX_ATTEMPTS = 5;
export const DEFAULT_RETRY_BASE_MS = 100;
export const DEFAULT_RETRY_MAX_MS = 10_000;

/** Retry options with every default filled in. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly baseMs: number;
  readonly maxMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: DEFAULT_MAX_ATTEMPTS,
  baseMs: DEFAULT_RETRY_BASE_MS,
  maxMs: DEFAULT_RETRY_MAX_MS,
};

const RETRY_OPTIONS: OptionNames<RetryOptions> = { maxAttempts: 1, baseMs: 1, maxMs: 1 };

/** @throws TypeError for an invalid number */
export function retryPolicy(options: RetryOptions | undefined): RetryPolicy {
  if (options === undefined) return DEFAULT_RETRY;
  optionsOf('retry', options, RETRY_OPTIONS);
  const policy = { ...DEFAULT_RETRY, ...options };
  count('retry.maxAttempts', policy.maxAttempts, 1);
  if (!(Math.min(policy.baseMs, policy.maxMs) >= 0))
    throw new TypeError('retry.baseMs and retry.maxMs must be at least 0');
  return policy;
}

/**
 * How often a service may hand an event over before it is set aside unseen. Above the handler's own attempts, which are counted here: a
 * service counts also what was lost on its way to us, and what a process took with it when it died.
 */
export function maxDeliveries({ maxAttempts }: RetryPolicy): number {
  return 2 * maxAttempts + 10;
}

/**
 * How long to wait after the given attempt (1 for the first): a random part of a bound that doubles.
 * Full jitter, so that many that failed together do not come back together.
 * @see "Exponential Backoff And Jitter", AWS Architecture Blog
 */
export function backOffMs(runtime: Runtime, policy: RetryPolicy, attempt: number): number {
  return runtime.random() * Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1));
}

/** Anything a handler throws may pass on the next attempt, except what Polycast itself calls final. */
export function isRetryable(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === undefined || ERROR_CODES[code].retryable;
}
