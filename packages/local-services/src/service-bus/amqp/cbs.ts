import { AuthError } from '../../auth/index.ts';
import type { Broker } from '../broker/api.ts';
import { tokenKindOf } from '../token-rules.ts';
import type { AuthorityLike, GrantLike } from './authority.ts';
import { missingAudience } from './located.ts';
import type { Reply, Request } from './request.ts';

export interface CbsContext {
  readonly broker: Broker;
  readonly authority: AuthorityLike;
  /** By which the client knows the service. */
  readonly host: string;
  /** Told what a good token grants. */
  readonly granted: (grant: GrantLike) => void;
}

/** Answers a request to `$cbs`. */
export async function answerCbs(request: Request, { broker, authority, host, granted }: CbsContext): Promise<Reply> {
  const { properties } = request;
  if (properties.get('operation') !== 'put-token') return status(400, 'The operation is not put-token');
  const type = properties.get('type');
  const kind = typeof type === 'string' ? tokenKindOf(type) : undefined;
  if (kind === undefined) return status(400, 'The type of the token is not known');
  const audience = properties.get('name');
  if (typeof audience !== 'string') return status(400, 'The request has no name: the audience of the token');
  const { body } = request;
  const token = Buffer.isBuffer(body) ? body.toString('utf8') : body;
  if (typeof token !== 'string') return status(400, 'The request has no token as its body');
  try {
    const grant = await authority.verify(kind, token, audience, broker.now());
    const missing = missingAudience(broker, audience, host);
    if (missing !== undefined) return status(missing.status, missing.message);
    granted(grant);
    return status(202, 'Accepted');
  } catch (error) {
    // What else went wrong is none of the client's business.
    if (error instanceof AuthError) return status(error.status, error.message);
    return status(500, 'The token could not be checked');
  }
}

function status(code: number, description: string): Reply {
  return {
    properties: new Map([
      ['status-code', (writer) => writer.int(code)],
      ['status-description', (writer) => writer.string(description)],
    ]),
  };
}
