import type { MessageContent } from '../message/content.ts';
import type { DeadLetterReason } from './entity.ts';
import { LIMITS } from './limits.ts';
import type { SendableEntity } from './sendable-entity.ts';

/** How a message came to be forwarded. */
export interface Forwarded {
  /** How often, this time included. */
  readonly hops: number;
  readonly enqueuedSequenceNumber: number;
  readonly deadLetterSource: string | undefined;
}

/**
 * @param target undefined: there is none
 * @returns why the message could not go there
 */
export function forwardTo(
  to: string,
  target: SendableEntity | undefined,
  content: MessageContent,
  forwarded: Forwarded,
): DeadLetterReason | undefined {
  if (forwarded.hops > LIMITS.forwardHops) {
    return {
      reason: 'MaxTransferHopCountExceeded',
      description: `The message was forwarded ${LIMITS.forwardHops} times, and would be once more to '${to}'.`,
    };
  }
  if (target === undefined) {
    return { reason: 'MessagingEntityNotFound', description: `There is no queue or topic '${to}' to forward to.` };
  }
  if (target.isDisabledFor('send')) {
    return { reason: 'MessagingEntityDisabled', description: target.disabled('send').message };
  }
  if (!target.quota.hasRoomFor(content.size)) {
    return { reason: 'QuotaExceeded', description: `'${to}' is full.` };
  }
  target.takeForwarded(content, forwarded);
  return undefined;
}
