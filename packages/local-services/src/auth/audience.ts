import { AuthError } from './error.ts';

/** Maximum length of a resource URI, in characters. Entity paths have at most 260. */
export const MAX_AUDIENCE_CHARACTERS = 2_048;

/** What a token is for, or is used for. */
export interface Audience {
  /** In lower case, without port; every name of this machine is `localhost`. Undefined: it names none. */
  readonly host: string | undefined;
  /** In lower case, without slashes at its ends: `''` is the namespace. */
  readonly path: string;
}

// The service looks at no scheme: users write `sb`, `amqps`, `https`, or any other.
const ENCODED_SCHEME = /^[a-z][a-z\d+.-]*%3a%2f%2f/i;
const RESOURCE = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)(.*)$/is;
const LOOPBACK = /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads `sb://host:port/queue`, with any scheme clients use, with or without port and slash at the end, also URL-encoded;
 * or a path alone. Query and fragment do not count.
 * @throws AuthError when it is none of these, or a path with `.` or `..`
 */
export function parseAudience(text: string): Audience {
  if (text.length > MAX_AUDIENCE_CHARACTERS) throw invalid();
  const plain = ENCODED_SCHEME.test(text) ? decode(text) : text;
  const [, authority, rest = ''] = RESOURCE.exec(plain) ?? [];
  if (authority === undefined && plain.includes('://')) throw invalid();
  return {
    host: authority === undefined ? undefined : hostOf(authority),
    path: pathOf(authority === undefined ? plain : rest),
  };
}

/** Is the path the one or below it, segment by segment? Both as `parseAudience` gives them. */
export function isWithin(path: string, prefix: string): boolean {
  return prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
}

/** May a token for the one be used for the other? A host counts where both name one. */
export function covers(token: Audience, asked: Audience): boolean {
  const sameHost = token.host === undefined || asked.host === undefined || token.host === asked.host;
  if (sameHost && isWithin(asked.path, token.path)) return true;
  // `namespace.servicebus.windows.net/queue`, without a scheme, reads as a path: the host tells it from one.
  const [host = '', ...path] = token.path.split('/');
  return token.host === undefined && host !== '' && hostOf(host) === asked.host && isWithin(asked.path, path.join('/'));
}

/** `a/b/c`: `a`, `a/b`, `a/b/c`. */
export function prefixesOf(path: string): readonly string[] {
  if (path === '') return [];
  const segments = path.split('/');
  return segments.map((_, at) => segments.slice(0, at + 1).join('/'));
}

function hostOf(authority: string): string {
  const host = authority.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  if (host === '' || host.includes('@')) throw invalid();
  return LOOPBACK.test(host) ? 'localhost' : host;
}

function pathOf(text: string): string {
  const segments = decode(text.replace(/[?#].*$/s, ''))
    .toLowerCase()
    .split('/')
    .filter((segment) => segment !== '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in a path
  if (segments.some((segment) => /^\.\.?$|[\u0000-\u001f\u007f]/.test(segment))) throw invalid();
  return segments.join('/');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw invalid(error);
  }
}

function invalid(cause?: unknown): AuthError {
  return new AuthError('InvalidAudience: The audience is not a valid resource URI.', { cause });
}
