import { existsSync } from 'node:fs';

/** A built program of this folder: Node 20 cannot run TypeScript there. From source (tests), its built sibling is meant. */
export function builtFile(name: string): URL {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? here.replace('/src/soak/', '/dist/soak/') : here;
  const file = new URL(`./${name}.js`, folder);
  if (!existsSync(file))
    throw new Error(`@polycast/conformance is not built: ${name}.js is missing; run \`npm run build\``);
  return file;
}
