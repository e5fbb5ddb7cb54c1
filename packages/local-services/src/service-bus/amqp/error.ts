import { AuthError } from '../../auth/index.ts';
import { BrokerError } from '../broker/error.ts';
import type { AmqpError } from './rhea.ts';

/** A peer that does not keep to the protocol: the connection ends with this. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly condition: string;

  constructor(condition: string, message: string) {
    super(message);
    this.condition = condition;
  }
}

/** What the peer is told. Whatever is not ours says no more than that it happened. */
export function amqpErrorOf(error: unknown): AmqpError {
  if (error instanceof BrokerError || error instanceof ProtocolError) {
    return { condition: error.condition, description: error.message };
  }
  if (error instanceof AuthError) return { condition: 'amqp:unauthorized-access', description: error.message };
  return { condition: 'amqp:internal-error', description: 'The local service failed to do that' };
}

export function unauthorized(path: string, rights: string): BrokerError {
  return new BrokerError(
    'amqp:unauthorized-access',
    `Unauthorized access. '${rights}' claim(s) are required to perform this operation. Resource: '${path}'.`,
  );
}
