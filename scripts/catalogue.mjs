// Writes packages/core/src/catalogue-data.ts from the manifests of all adapters, which must be built.
// An adapter shows them as `manifests`, a list. `--check` writes nothing and fails if the file is stale.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const packages = new URL('../packages/', import.meta.url);
const target = new URL('core/src/catalogue-data.ts', packages);

/** One entry a scheme, sorted, so that the file depends on the manifests alone. */
export async function entries() {
  const found = [];
  for (const name of readdirSync(packages)) {
    const built = new URL(`${name}/dist/index.js`, packages);
    if (name === 'core' || !existsSync(built)) continue;
    const { manifests } = await import(built.href);
    if (Array.isArray(manifests)) found.push(...manifests);
  }
  return found
    .map(({ transport, capabilities }) => ({
      transport,
      native: withLevel(capabilities, 'native'),
      emulated: withLevel(capabilities, 'emulated'),
    }))
    .sort((left, right) => (left.transport < right.transport ? -1 : 1));
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

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const text = textOf(await entries());
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (text !== readFileSync(target, 'utf8')) {
    console.error('packages/core/src/catalogue-data.ts is stale: run `node scripts/catalogue.mjs`');
    process.exitCode = 1;
  }
}
