import type { BroadcasterContext } from '../connection/broadcaster-context.ts';
import type { LiveDelivery } from './delivery.ts';
import type { HeldLease } from './held-lease.ts';
import type { SubscriptionSettings } from './subscription-settings.ts';

/** What is added to a topic's name for the topic of its dead letters. */
export const DEAD_LETTER_SUFFIX = '.dead-letter';
/** Longest reason kept, in characters. */
const MAX_REASON_LENGTH = 1_024;

/**
 * Sets a delivery aside and tells. Natively where the service can; else the event is published to the dead-letter topic,
 * with `deadletterreason` and `deadletterattempts`, never to expire, and then accepted.
 *
 * @param accept settles the delivery once its event is kept elsewhere
 * Rejects when nothing took it: then the delivery is still ours.
 */
export async function deadLetterTo(
  context: BroadcasterContext,
  settings: SubscriptionSettings,
  delivery: LiveDelivery,
  reason: string,
  accept: (delivery: LiveDelivery) => void,
): Promise<void> {
  const { event, attempt } = delivery;
  let kept: string | undefined;
  if (settings.deadLetter === 'drop') {
    accept(delivery);
  } else if (context.manifest.capabilities.deadLetter.level === 'native' && isAlone(delivery.lease)) {
    delivery.settled = true;
    try {
      await delivery.lease.settle({ kind: 'dead-letter', reason });
    } catch (thrown) {
      // It did not happen: it may be tried again.
      delivery.settled = false;
      throw thrown;
    }
    kept = context.topic;
  } else {
    kept = context.topic + DEAD_LETTER_SUFFIX;
    const letter = event.with({
      attributes: { deadletterreason: clean(reason), deadletterattempts: attempt },
      expiresAtMs: Number.POSITIVE_INFINITY,
    });
    await context.publisher.send(context.publisher.address(letter, kept));
    accept(delivery);
  }
  const signal = { kind: 'dead-lettered', eventId: event.id, reason, attempts: attempt } as const;
  delivery.report(kept === undefined ? signal : { ...signal, kept });
}

function isAlone(lease: HeldLease | undefined): lease is HeldLease {
  return lease !== undefined && !lease.isShared;
}

/** As an attribute value may be: without control characters and halves of surrogate pairs. */
function clean(reason: string): string {
  return reason.slice(0, MAX_REASON_LENGTH).replace(/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu, ' ') || 'unknown';
}
