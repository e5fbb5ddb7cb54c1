import { pause } from '@polycast/core/adapter';

/** The SDK closes a link whose draining the service has not answered after 200 ms. */
const SDK_DRAIN_MS = 190;

/**
 * Ends the subscription of a receiver, which drains it. Where the service answers late, the SDK has begun to close the link meanwhile, and says nothing of
 * it: closed again before that is over, the link leaves a promise that nobody handles and that fails a minute later. So the service gets as long
 * once more.
 */
export async function drained(subscriber: { close(): Promise<void> }): Promise<void> {
  const beganMs = performance.now();
  await subscriber.close();
  const tookMs = performance.now() - beganMs;
  if (tookMs >= SDK_DRAIN_MS) await pause(tookMs);
}
