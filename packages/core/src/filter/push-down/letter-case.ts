/** Does the text read the same in upper and lower case? Then a broker that compares without case is exact on it. */
export function isCaseless(text: string): boolean {
  return text.toLowerCase() === text.toUpperCase();
}

/** One letter at a time, as ordinal comparison without case does in .NET: `ß` stays itself. */
export function foldCase(text: string): string {
  return text.replace(/./gsu, (letter) => {
    const upper = letter.toUpperCase();
    return upper.length === letter.length ? upper : letter;
  });
}
