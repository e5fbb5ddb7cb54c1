import { type CST, Parser } from 'yaml';

/** Deepest nesting of a workload or price file, which need six: YAML's composer calls itself for each level and would run out of stack. */
export const MAX_DEPTH = 32;

/** Is a text of YAML or JSON nested deeper than {@link MAX_DEPTH}? Reads its tokens, with a stack of its own. */
export function isDeep(text: string): boolean {
  const open: { token: CST.Token; depth: number }[] = [...new Parser().parse(text)].map((token) => ({
    token,
    depth: 0,
  }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > MAX_DEPTH) return true;
    for (const child of childrenOf(token)) if (child) open.push({ token: child, depth: depth + 1 });
  }
  return false;
}

function childrenOf(token: CST.Token): readonly (CST.Token | null | undefined)[] {
  if (token.type === 'document') return [token.value];
  return 'items' in token ? token.items.flatMap((item) => [item.key, item.value]) : [];
}
