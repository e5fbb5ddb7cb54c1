// Writes packages/core/src/catalogue-data.ts from the manifests of all adapters, which must be built.
// A test of core says when that is due.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** One URL a scheme. Making a transport connects to nothing, so the host need not exist. A new adapter adds its own. */
export const URLS = ['memory:', 'redis://localhost', 'redis+streams://localhost', 'service-bus://name:key@localhost'];

const target = new URL('../packages/core/src/catalogue-data.ts', import.meta.url);

/** One entry a scheme, sorted, so that the file depends on the manifests alone. `load` imports a package by name. */
export async function entries(load) {
  const { CAPABILITIES } = await load('@polycast/core/adapter');
  const found = await Promise.all(
    URLS.map(async (text) => {
      const url = new URL(text);
      const { fromUrl } = await load(`@polycast/${url.protocol.slice(0, -1).split('+')[0]}`);
      const { transport, capabilities } = fromUrl(url).manifest;
      return { transport, levels: levelsOf(capabilities, Object.keys(CAPABILITIES)) };
    }),
  );
  return found.sort((left, right) => (left.transport < right.transport ? -1 : 1));
}

export function textOf(list) {
  const lines = list.map(({ transport, levels }) => `  { transport: '${transport}', levels: '${levels}' },\n`);
  const head = readFileSync(target, 'utf8').split('export const CATALOGUE')[0];
  return `${head}export const CATALOGUE: readonly CatalogueEntry[] = [\n${lines.join('')}];\n`;
}

function levelsOf(capabilities, names) {
  return names.map((name) => ({ native: 'n', emulated: 'e', none: '-' })[capabilities[name].level]).join('');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(target, textOf(await entries((name) => import(name))));
  execFileSync('npx', ['biome', 'format', '--write', fileURLToPath(target)], { stdio: 'inherit' });
}
