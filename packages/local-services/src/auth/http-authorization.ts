import type { IncomingMessage } from 'node:http';
import type { Authority, TokenKind } from './authority.ts';
import { AuthError } from './error.ts';
import type { Grant } from './grant.ts';

/** What a header such as `Authorization` or `ServiceBusSupplementaryAuthorization` holds. @throws AuthError */
export function readAuthorization(header: string | undefined): { readonly kind: TokenKind; readonly token: string } {
  if (header === undefined || header.trim() === '') {
    throw new AuthError('MissingToken: The authorization header was not found.');
  }
  const value = header.trim();
  if (/^SharedAccessSignature\s/i.test(value)) return { kind: 'sas', token: value };
  const [, bearer] = /^Bearer\s+(\S+)$/i.exec(value) ?? [];
  if (bearer !== undefined) return { kind: 'jwt', token: bearer };
  throw new AuthError('MalformedToken: The authorization header must be a SharedAccessSignature or a Bearer token.');
}

/** The resource a request is about, as tokens name it. */
export function audienceOf({ url = '/', headers }: Pick<IncomingMessage, 'url' | 'headers'>): string {
  if (!url.startsWith('/') || headers.host === undefined) return url;
  return `http://${headers.host}${url}`;
}

/** What the sender of a request may do at the resource it is about. @param now epoch ms @throws AuthError */
export async function authorize(
  authority: Authority,
  request: Pick<IncomingMessage, 'url' | 'headers'>,
  now: number,
): Promise<Grant> {
  const { kind, token } = readAuthorization(request.headers.authorization);
  return authority.verify(kind, token, audienceOf(request), now);
}
