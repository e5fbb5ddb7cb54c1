import type { Reply } from '../../../http/index.ts';
import { notFound } from '../../../http/index.ts';
import { BrokerError } from '../../broker/error.ts';
import type { Call } from '../call.ts';
import { listenRefusal, orGone } from './endpoint.ts';

/** A locked message: DELETE completes it, PUT unlocks it, POST renews its lock. */
export async function settleMessage(call: Call, path: string, lockToken: string): Promise<Reply> {
  await call.authorize('listen', listenRefusal(call, path));
  const source = orGone(call, path, () => call.broker.source(path));
  try {
    if (call.request.method === 'POST') source.renewLocks([lockToken]);
    else source.settle(lockToken, { kind: call.request.method === 'DELETE' ? 'complete' : 'abandon' });
  } catch (error) {
    if (!(error instanceof BrokerError) || error.condition !== 'com.microsoft:message-lock-lost') throw error;
    throw notFound(`No message was found with the specified MessageId or LockToken. ${error.message}`);
  }
  return { status: 200 };
}
