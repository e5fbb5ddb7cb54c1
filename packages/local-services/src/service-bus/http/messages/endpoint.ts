import { HttpError } from '../../../http/index.ts';
import { BrokerError } from '../../broker/error.ts';
import type { Call } from '../call.ts';

/** Says of an entity that is not there what the service's gateway says. */
export function orGone<Result>(call: Call, path: string, task: () => Result): Result {
  try {
    return task();
  } catch (error) {
    if (!(error instanceof BrokerError) || error.condition !== 'amqp:not-found') throw error;
    throw new HttpError(404, `40400: Endpoint not found., Resource:sb://${call.context.host}/${path}`);
  }
}

export const listenRefusal = (call: Call, path: string): string =>
  `Unauthorized access. 'Listen' claim(s) are required to perform this operation. Resource: 'sb://${call.context.host}/${path}'.`;
