/** `; did you mean "x"?`, or what is there to choose from. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = candidates
    .map((candidate) => ({ candidate, edits: editsBetween(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= Math.max(2, Math.ceil(word.length / 3)))
    .sort((left, right) => left.edits - right.edits)[0];
  if (near !== undefined) return `; did you mean "${near.candidate}"?`;
  return `; available: ${candidates.map((name) => `"${name}"`).join(', ')}`;
}

function editsBetween(from: string, to: string): number {
  // No name is as long: it is near to none of them.
  if (from.length > 100) return Number.POSITIVE_INFINITY;
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = last[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(last[column]! + 1, current[column - 1]! + 1, replaced));
    }
    last = current;
  }
  return last[to.length]!;
}
