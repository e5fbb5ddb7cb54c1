import { badRequest } from './http-error.ts';

const SLASH = '/';

/** @returns segments of a URL's path, decoded, without empty ones at its ends @throws HttpError 400 */
export function segmentsOf(pathname: string): string[] {
  try {
    // An encoded slash is a slash: names may hold them, and clients differ in how they write it.
    const path = withoutOuterSlashes(decodeURIComponent(pathname));
    return path === '' ? [] : path.split(SLASH);
  } catch {
    throw badRequest('The URL is not encoded well.');
  }
}

/** Without slashes at its ends. In one pass: a regular expression would look at the rest anew from each slash. */
export function withoutOuterSlashes(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && text[from] === SLASH) from++;
  while (to > from && text[to - 1] === SLASH) to--;
  return text.slice(from, to);
}
