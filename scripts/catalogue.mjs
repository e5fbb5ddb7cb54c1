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
  const found = await Promise.all(
    URLS.map(async (text) => {
      const url = new URL(text);
      const { fromUrl } = await load(`@polycast/${url.protocol.slice(0, -1).split('+')[0]}`);
      const { transport, capabilities } = fromUrl(url).manifest;
      return { transport, native: withLevel(capabilities, 'native'), emulated: withLevel(capabilities, 'emulated') };
    }),
  );
  return found.sort((left, right) => (left.transport < right.transport ? -1 : 1));
}

export function textOf(list) {
  const words = (names) => (names.length === 0 ? '' : `\n      '${names.join("',\n      '")}',\n    `);
  const lines = list.map(
    ({ transport, native, emulated }) =>
      `  {\n    transport: '${transport}',\n    native: [${words(native)}],\n    emulated: [${words(emulated)}],\n  },\n`,
  );
  const head = readFileSync(target, 'utf8').split('export const CATALOGUE')[0];
  return `${head}export const CATALOGUE: readonly CatalogueEntry[] = [\n${lines.join('')}];\n`;
}

function withLevel(capabilities, level) {
  return Object.keys(capabilities)
    .filter((name) => capabilities[name].level === level)
    .sort();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(target, textOf(await entries((name) => import(name))));
  execFileSync('npx', ['biome', 'format', '--write', fileURLToPath(target)], { stdio: 'inherit' });
}
