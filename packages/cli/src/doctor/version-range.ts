type Version = readonly [major: number, minor: number, patch: number];

/**
 * Is a version in a range of npm, written as Polycast's packages write theirs: `^1.2.3`, or several of these with `||`? A pre-release
 * is in none of them. True for a range that is written otherwise: npm judged it when it installed.
 */
export function isInRange(version: string, range: string): boolean {
  const parts = range.split('||').map((part) => versionOf(part.trim(), '^'));
  if (parts.includes(undefined)) return true;
  const found = versionOf(version, '');
  return found !== undefined && parts.some((least) => isCompatible(found, least as Version));
}

function isCompatible(found: Version, least: Version): boolean {
  // Up to the first number that is not zero, they are the same.
  const fixed = Math.max(1, least.findIndex((number) => number > 0) + 1);
  if (found.slice(0, fixed).join('.') !== least.slice(0, fixed).join('.')) return false;
  const at = found.findIndex((number, index) => number !== least[index]);
  return at < 0 || (found[at] as number) > (least[at] as number);
}

function versionOf(text: string, prefix: '^' | ''): Version | undefined {
  const match = /^(\^?)(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (match === null || match[1] !== prefix) return undefined;
  return [Number(match[2]), Number(match[3]), Number(match[4])];
}
