import type { ServiceBusSessionReceiver } from '@azure/service-bus';
import { failSettlements, type Settling } from './guard.ts';

/** The link of a session, of rhea-promise. */
export interface SessionLink {
  drain: boolean;
  isOpen(): boolean;
  addCredit(credits: number): void;
  drainCredit(): void;
  once(event: 'receiver_drained', listener: () => void): unknown;
}

interface SdkSessionReceiver {
  readonly _messageSession?: Settling & { readonly link?: SessionLink };
}

/** The link of a session that is there and can be drained. */
export function sessionLinkOf(receiver: ServiceBusSessionReceiver): SessionLink | undefined {
  const link = (receiver as unknown as SdkSessionReceiver)._messageSession?.link;
  return typeof link?.drainCredit === 'function' && link.isOpen() ? link : undefined;
}

/** What was said over its link gets no answer any more. */
export function failSessionSettlements(receiver: ServiceBusSessionReceiver): void {
  failSettlements((receiver as unknown as SdkSessionReceiver)._messageSession);
}
