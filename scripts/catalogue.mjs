// Writes packages/catalogue/src/data.ts from the manifests of all adapters, which must be built, and from the entry `polycast` of their
// package.json. A test of the catalogue says when that is due.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const packages = new URL('../packages/', import.meta.url);
const target = new URL('catalogue/src/data.ts', packages);

/** What the packages say of themselves. `load` imports one by name. */
export async function collect(load) {
  const { CAPABILITIES } = await load('@polycast/core/adapter');
  const adapters = readdirSync(packages).flatMap((folder) => {
    const file = new URL(`${folder}/package.json`, packages);
    const { name, polycast } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
    return polycast === undefined ? [] : [{ name, urls: [], aliases: {}, connectionStrings: {}, ...polycast }];
  });
  const found = [];
  for (const { name, urls } of adapters) {
    const { fromUrl } = await load(name);
    for (const url of urls) found.push(fromUrl(new URL(url)).manifest);
  }
  // Sorted, so that the file depends on the manifests alone.
  found.sort((left, right) => (left.transport < right.transport ? -1 : 1));
  const offering = (name, level) =>
    found.filter(({ capabilities }) => capabilities[name].level === level).map(({ transport }) => transport);
  return {
    OFFERED_BY: Object.fromEntries(
      Object.keys(CAPABILITIES).map((name) => [name, [...offering(name, 'native'), ...offering(name, 'emulated')]]),
    ),
    SCHEMES: {
      transports: found.map(({ transport }) => transport),
      aliases: Object.assign({}, ...adapters.map(({ aliases }) => aliases)),
      connectionStrings: Object.assign({}, ...adapters.map(({ connectionStrings }) => connectionStrings)),
    },
  };
}

function textOf({ OFFERED_BY, SCHEMES }) {
  return `// Written by scripts/catalogue.mjs from the manifests of all adapters: run it after changing one.

/** For each capability of the contract, the transports that offer it, those that do so natively first. */
export const OFFERED_BY = ${JSON.stringify(OFFERED_BY)} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The schemes of transports, other names of them, and how connection strings begin, with the scheme that each stands for. */
export const SCHEMES = ${JSON.stringify(SCHEMES)} as const;
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(target, textOf(await collect((name) => import(name))));
  execFileSync('npx', ['biome', 'check', '--write', fileURLToPath(target)], { stdio: 'inherit' });
}
