import type { ServiceBusReceiver } from '@azure/service-bus';

interface Link {
  close(...args: unknown[]): Promise<void>;
}

interface SdkReceiver {
  readonly _streamingReceiver?: { readonly link?: Partial<Link> };
  readonly _messageSession?: { readonly link?: Partial<Link> };
}

const quiet = new WeakSet<object>();

/** Ends a receiver, quietly: see {@link closeQuietly}. */
export function closeReceiver(receiver: ServiceBusReceiver): Promise<void> {
  closeQuietly(receiver);
  return receiver.close();
}

/**
 * Call it right before a receiver is drained or closed. The SDK drains it, and closes its link should the service not answer within 200 ms. Where
 * the service answers nothing at all, that rejects a minute later in a timer of the SDK, where nobody can handle it, and would end the process.
 * So the link's own `close` no longer rejects; whether it was closed, nobody asks. Where the SDK is built otherwise this does nothing.
 */
export function closeQuietly(receiver: ServiceBusReceiver): void {
  const { _streamingReceiver, _messageSession } = receiver as unknown as SdkReceiver;
  for (const link of [_streamingReceiver?.link, _messageSession?.link]) {
    if (typeof link?.close !== 'function' || quiet.has(link)) continue;
    quiet.add(link);
    const close = link.close.bind(link);
    link.close = async (...args) => {
      try {
        await close(...args);
      } catch {
        // See above.
      }
    };
  }
}
