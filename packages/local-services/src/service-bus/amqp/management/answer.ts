import { AuthError } from '../../../auth/index.ts';
import type { Broker } from '../../broker/api.ts';
import { BrokerError } from '../../broker/error.ts';
import type { Writer } from '../../message/encoding/writer.ts';
import type { Right } from '../authority.ts';
import { unauthorized } from '../error.ts';
import { locatedErrorOf } from '../located.ts';
import type { Reply, Request } from '../request.ts';
import { Arguments, bad } from './arguments.ts';
import { MESSAGE_OPERATIONS } from './messages.ts';
import { RULE_OPERATIONS } from './rules.ts';
import { SESSION_OPERATIONS } from './sessions.ts';

export interface OperationContext {
  readonly broker: Broker;
  /** The path that `$management` was asked of. */
  readonly entity: string;
  /** By which the client knows the service. */
  readonly host: string;
}

export interface Operation {
  readonly right: Right;
  /** @returns what writes the reply's map; undefined: there is nothing to tell (204) @throws BrokerError */
  run(context: OperationContext, body: Arguments): BodyWriter | undefined;
}

export type BodyWriter = (writer: Writer) => void;

const PREFIX = 'com.microsoft:';
const TRACKING_ID = 'com.microsoft:tracking-id';

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ...MESSAGE_OPERATIONS,
  ...SESSION_OPERATIONS,
  ...RULE_OPERATIONS,
]);

/** Answers a request to `$management` of an entity. Never throws: what went wrong is in the reply. */
export function answerManagement(
  request: Request,
  context: OperationContext,
  allows: (right: Right) => boolean,
): Reply {
  const trackingId = request.properties.get(TRACKING_ID);
  try {
    const name = request.properties.get('operation');
    if (typeof name !== 'string' || !name.startsWith(PREFIX)) return bad('The request has no operation');
    const operation = OPERATIONS.get(name.slice(PREFIX.length));
    if (operation === undefined) throw new BrokerError('amqp:not-implemented', `unknown operation ${name}`);
    if (!allows(operation.right)) throw unauthorized(context.entity, titled(operation.right));
    const body = operation.run(context, new Arguments(request.body));
    return reply(body === undefined ? 204 : 200, 'OK', trackingId, { body: body ?? emptyMap });
  } catch (error) {
    const { condition, description } = locatedErrorOf(error, context.host);
    const status = error instanceof BrokerError ? error.status : error instanceof AuthError ? 401 : 500;
    return reply(status, description, trackingId, { errorCondition: condition });
  }
}

function reply(
  status: number,
  description: string,
  trackingId: unknown,
  { errorCondition, body }: { errorCondition?: string; body?: BodyWriter },
): Reply {
  const properties = new Map<string, BodyWriter>([
    ['statusCode', (writer) => writer.int(status)],
    ['statusDescription', (writer) => writer.string(description)],
  ]);
  if (errorCondition !== undefined) properties.set('errorCondition', (writer) => writer.symbol(errorCondition));
  if (typeof trackingId === 'string') properties.set(TRACKING_ID, (writer) => writer.string(trackingId));
  return { properties, ...(body === undefined ? undefined : { body }) };
}

export const emptyMap: BodyWriter = (writer) => writer.close(writer.openMap(), 0);

function titled(right: Right): string {
  return right.charAt(0).toUpperCase() + right.slice(1);
}
