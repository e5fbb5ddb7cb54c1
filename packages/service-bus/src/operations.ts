import type { ServiceBusReceivedMessage } from '@azure/service-bus';

/** Every 64 KiB begun of a message is one operation. */
const STEP_BYTES = 65_536;
/** What a message has beside its body and its properties. */
const OVERHEAD_BYTES = 256;
const PROPERTY_BYTES = 10;

export function operationsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / STEP_BYTES));
}

/** What the delivery of a message counts. */
export function operationsFor(message: Pick<ServiceBusReceivedMessage, 'body' | 'applicationProperties'>): number {
  const { body } = message as { body: unknown };
  const length =
    body instanceof Uint8Array ? body.byteLength : body === undefined ? 0 : (JSON.stringify(body)?.length ?? 0);
  // Few messages are anywhere near the first step.
  if (length < STEP_BYTES / 2 && message.applicationProperties === undefined) return 1;
  let bytes = OVERHEAD_BYTES + length;
  for (const name in message.applicationProperties) {
    const value = message.applicationProperties[name];
    bytes += PROPERTY_BYTES + name.length + (typeof value === 'string' ? value.length : 8);
  }
  return operationsOf(bytes);
}
