/** The candidates most like a mistyped word, best first, at most three; none if nothing is close. */
export function nearest(word: string, candidates: readonly string[]): readonly string[] {
  const wanted = word.toLowerCase();
  const tolerance = Math.max(2, Math.ceil(word.length / 3));
  return candidates
    .map((candidate) => {
      const whole = candidate.toLowerCase();
      // Nearest of all is what was left unfinished: `ttl` of `ttlMs`.
      return { candidate, distance: whole.startsWith(wanted) ? 0 : distanceOf(wanted, whole) };
    })
    .filter(({ distance }) => distance <= tolerance)
    .sort((left, right) => left.distance - right.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `; did you mean "x" or "y"?`, or what is there to choose from. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  if (near.length > 0) return `; did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
  return candidates.length > 0 ? `; available: ${candidates.map((name) => `"${name}"`).join(', ')}` : '';
}

/** Edits (insert, delete, replace, swap of neighbours) from one word to the other. */
function distanceOf(from: string, to: string): number {
  const rows: number[][] = [];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 0; row <= from.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      rows[row]!.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(from.length, to.length);
}
