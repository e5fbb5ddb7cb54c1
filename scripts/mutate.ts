import type { VitestPluginContext } from 'vitest/node';

/** One change of the text of a module. */
export interface Patch {
  /** Path below `packages`. */
  readonly module: string;
  /** Found exactly once. */
  readonly from: string;
  readonly to: string;
}

/** Changes modules as they are read, for vitest. */
export function mutate(patches: readonly Patch[]) {
  return {
    name: 'mutate',
    enforce: 'pre' as const,
    transform(code: string, id: string): string | null {
      const mine = patches.filter((patch) => isOf(id, patch));
      if (mine.length === 0) return null;
      return mine.reduce((text, { module, from, to }) => {
        const parts = text.split(from);
        if (parts.length === 2) return parts.join(to);
        throw new Error(`${module}: the text to change is there ${parts.length - 1} times: ${from}`);
      }, code);
    },
  };
}

/** Keeps what some mutant changes out of what vitest keeps of modules, which all of its projects share. */
export function keepApart(patches: readonly Patch[]) {
  return {
    name: 'keep-apart',
    configureVitest({ experimental_defineCacheKeyGenerator: define }: VitestPluginContext): void {
      define(({ id }) => (patches.some((patch) => isOf(id, patch)) ? false : undefined));
    },
  };
}

function isOf(id: string, { module }: Patch): boolean {
  return id.endsWith(`/packages/${module}`);
}
