import type { Broker } from '../broker/api.ts';
import { BrokerError } from '../broker/error.ts';
import { parseAddress } from './address.ts';
import { amqpErrorOf } from './error.ts';
import type { AmqpError } from './rhea.ts';

const MISSING = /^The messaging entity '(?!sb:)/;
const AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/([^/?#]+)/i;
/** Clients look for the host as they know it, which is without a port. */
const PORT = /:\d*$/;

/** What the peer is told. What is missing is named by host and whole path, as the service does. */
export function locatedErrorOf(error: unknown, host: string): AmqpError {
  const told = amqpErrorOf(error);
  if (told.condition !== 'amqp:not-found') return told;
  return {
    ...told,
    description: told.description.replace(MISSING, (start) => `${start}sb://${host.replace(PORT, '')}/`),
  };
}

/**
 * Whether a token is for what is not there.
 * @param audience as the client wrote it
 * @returns undefined: it is for an entity, for what is below one, or for all that begins so
 */
export function missingAudience(broker: Broker, audience: string, host: string): BrokerError | undefined {
  const plain = decoded(audience);
  const address = parseAddress(plain.replace(/[?#].*$/s, ''));
  if (address.kind === 'cbs') return undefined;
  const path = address.kind === 'management' ? address.entity : address.path;
  if (path === '' || isThere(broker, path)) return undefined;
  const [, named = host] = AUTHORITY.exec(plain) ?? [];
  const entity = `sb://${named.replace(PORT, '')}/${path}`;
  return new BrokerError('amqp:not-found', `The messaging entity '${entity}' could not be found.`);
}

function isThere(broker: Broker, path: string): boolean {
  const { entities } = broker;
  if (entities.topic(path) !== undefined) return true;
  try {
    broker.source(path);
    return true;
  } catch {
    const start = `${path.toLowerCase()}/`;
    return [...entities.queues(), ...entities.topics()].some((one) => one.path.toLowerCase().startsWith(start));
  }
}

function decoded(audience: string): string {
  try {
    return decodeURIComponent(audience);
  } catch {
    return audience;
  }
}
