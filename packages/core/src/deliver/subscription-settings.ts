import { checkListener } from '../connection/signal-hub.ts';
import { checkName } from '../contract/address.ts';
import { count, type OptionNames, oneOf, optionsOf } from '../contract/checked-option.ts';
import {
  DEFAULT_BUFFER_SIZE,
  DEFAULT_LOCK_MS,
  DEFAULT_POLL_TIMEOUT_MS,
  DEFAULT_STALLED_AFTER_MS,
  type SubscribeOptions,
} from '../contract/contract.ts';
import type { SignalListener } from '../contract/signal.ts';
import type { StartPosition } from '../contract/transport.ts';
import type { SubscriptionFilter } from '../filter/subscription-filter.ts';
import { type RetryPolicy, retryPolicy } from '../timing/retry.ts';

/** Subscribe options, checked and with every default filled in. */
export interface SubscriptionSettings {
  readonly group: string | undefined;
  readonly durable: string | undefined;
  readonly startFrom: StartPosition;
  readonly concurrency: number;
  readonly bufferSize: number;
  readonly filter: SubscriptionFilter | undefined;
  readonly retry: RetryPolicy;
  readonly deadLetter: 'topic' | 'drop';
  readonly lockMs: number;
  /** Between two renewals of a lock. */
  readonly renewEveryMs: number;
  readonly pollTimeoutMs: number;
  readonly stalledAfterMs: number;
  readonly onSignal: SignalListener | undefined;
}

/** Shared by all subscriptions without options: a hundred thousand of them cost one object. */
let defaults: SubscriptionSettings | undefined;

/** The name of a durable subscription that was given none. */
const DEFAULT_DURABLE_NAME = 'default';

const SUBSCRIBE_OPTIONS: OptionNames<SubscribeOptions> = {
  group: 1,
  durable: 1,
  startFrom: 1,
  concurrency: 1,
  bufferSize: 1,
  filter: 1,
  retry: 1,
  deadLetter: 1,
  lockMs: 1,
  pollTimeoutMs: 1,
  stalledAfterMs: 1,
  onSignal: 1,
  abortSignal: 1,
};

/** @throws TypeError */
export function subscribeOptions(options: SubscribeOptions | undefined): SubscribeOptions | undefined {
  return optionsOf('subscribe', options, SUBSCRIBE_OPTIONS);
}

/** @throws TypeError for numbers that make no sense; PolycastError `invalid-address` */
export function subscriptionSettings(
  options: SubscribeOptions | undefined,
  filter?: SubscriptionFilter,
): SubscriptionSettings {
  if (options === undefined) {
    defaults ??= subscriptionSettings({});
    return defaults;
  }
  const lockMs = count('lockMs', options.lockMs ?? DEFAULT_LOCK_MS, 10);
  return {
    group: options.group === undefined ? undefined : checkName('group', options.group),
    durable: durableName(options.durable),
    startFrom: checkFrom(options.startFrom ?? 'new'),
    concurrency: count('concurrency', options.concurrency ?? 1, 1),
    bufferSize: count('bufferSize', options.bufferSize ?? DEFAULT_BUFFER_SIZE, 1),
    filter,
    retry: retryPolicy(options.retry),
    deadLetter: oneOf('deadLetter', options.deadLetter ?? 'topic', ['topic', 'drop']),
    lockMs,
    // What is for a member's instance alone is locked for the default time, whatever the group's lock is.
    renewEveryMs: (options.group === undefined ? lockMs : Math.min(lockMs, DEFAULT_LOCK_MS)) / 3,
    pollTimeoutMs: count('pollTimeoutMs', options.pollTimeoutMs ?? DEFAULT_POLL_TIMEOUT_MS, 1),
    stalledAfterMs: count('stalledAfterMs', options.stalledAfterMs ?? DEFAULT_STALLED_AFTER_MS, 1),
    onSignal: options.onSignal && checkListener(options.onSignal),
  };
}

function durableName(durable: boolean | string | undefined): string | undefined {
  if (durable === undefined || durable === false) return undefined;
  return durable === true ? DEFAULT_DURABLE_NAME : checkName('group', durable);
}

function checkFrom(from: StartPosition): StartPosition {
  if (from === 'new' || from === 'earliest') return from;
  // With two of them, one would be ignored.
  if (typeof from === 'object' && from !== null && Object.keys(from).length === 1) {
    if ('timeMs' in from && Number.isFinite(from.timeMs)) return from;
    if ('after' in from && typeof from.after === 'string') return from;
  }
  throw new TypeError("startFrom must be 'new', 'earliest', { timeMs } or { after }");
}
