const SLASH = '/';

/** Without slashes at its ends. In one pass: a regular expression would look at the rest anew from each slash. */
export function withoutOuterSlashes(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && text[from] === SLASH) from++;
  while (to > from && text[to - 1] === SLASH) to--;
  return text.slice(from, to);
}
