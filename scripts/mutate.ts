/** One change of the text of a module. */
export interface Patch {
  /** Path below `packages`. */
  readonly module: string;
  /** Found exactly once. */
  readonly from: string;
  readonly to: string;
}

/** Changes modules as they are read, for vitest. @param patches as JSON; left out: none */
export function mutate(patches = '[]') {
  const all = JSON.parse(patches) as readonly Patch[];
  return {
    name: 'mutate',
    enforce: 'pre' as const,
    transform(code: string, id: string): string | null {
      const mine = all.filter(({ module }) => id.endsWith(`/packages/${module}`));
      if (mine.length === 0) return null;
      return mine.reduce((text, { module, from, to }) => {
        const parts = text.split(from);
        if (parts.length === 2) return parts.join(to);
        throw new Error(`${module}: the text to change is there ${parts.length - 1} times: ${from}`);
      }, code);
    },
  };
}
