import type { PeekMessagesOptions, ServiceBusReceiver } from '@azure/service-bus';
import type { QuietSignal } from './quiet-signal.ts';
import { numberOf } from './resumption.ts';

type Long = NonNullable<PeekMessagesOptions['fromSequenceNumber']>;

/** The numbers of the first messages from that one on, locked or not, in order. One operation. */
export async function peek(
  receiver: ServiceBusReceiver,
  from: bigint,
  count: number,
  abortSignal: QuietSignal,
): Promise<readonly bigint[]> {
  const found = await receiver.peekMessages(count, { fromSequenceNumber: longOf(from), abortSignal });
  return found.map(({ sequenceNumber }) => numberOf(sequenceNumber));
}

/** What the SDK takes for a `Long` of the package of that name. */
function longOf(number: bigint): Long {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(number);
  return { __isLong__: true, toBytesBE: () => [...bytes] } as unknown as Long;
}
