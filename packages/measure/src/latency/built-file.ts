import { existsSync } from 'node:fs';

/**
 * A built module of this folder, for a thread or process of its own: Node 20 cannot run TypeScript there.
 * When this module itself runs from source (tests), its built sibling is meant.
 */
export function builtFile(name: string): URL {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? here.replace('/src/latency/', '/dist/latency/') : here;
  const file = new URL(`./${name}.js`, folder);
  if (!existsSync(file))
    throw new Error(`@polycast/measure is not built: ${name}.js is missing; run \`npm run build\``);
  return file;
}
