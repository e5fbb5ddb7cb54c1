import { tokenKindOf } from '../auth/index.ts';
import type { AuthorityLike, GrantLike } from './authority.ts';
import { isAuthError } from './error.ts';
import type { Reply, Request } from './request.ts';

/** Answers a request to `$cbs`. `granted` is told what a good token grants. */
export async function answerCbs(
  request: Request,
  authority: AuthorityLike,
  nowMs: number,
  granted: (grant: GrantLike) => void,
): Promise<Reply> {
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
    granted(await authority.verify(kind, token, audience, nowMs));
    return status(202, 'Accepted');
  } catch (error) {
    // What else went wrong is none of the client's business.
    if (isAuthError(error)) return status(error.status ?? 401, error.message);
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
