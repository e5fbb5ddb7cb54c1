/**
 * Writes prices/ and workloads/ into src/cost/data.generated.ts, so that they travel with the code: through `npm pack`,
 * a bundler, or a single-file build. Run `npm run embed` after changing a YAML file; a test fails until you do.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = new URL('../', import.meta.url);
const target = fileURLToPath(new URL('src/cost/data.generated.ts', root));

function readAll(folder) {
  return readdirSync(new URL(`${folder}/`, root))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => [name.slice(0, -'.yaml'.length), parse(readFileSync(new URL(`${folder}/${name}`, root), 'utf8'))]);
}

const prices = readAll('prices').map(([, file]) => file);
const workloads = Object.fromEntries(readAll('workloads'));

writeFileSync(
  target,
  `// Written by scripts/embed.mjs from prices/*.yaml and workloads/*.yaml. Change those, then run \`npm run embed\`.
import type { PriceFileInput } from './price.ts';
import type { WorkloadInput } from './workload.ts';

export const PRICE_FILES: readonly PriceFileInput[] = ${JSON.stringify(prices, null, 2)};

export const WORKLOAD_FILES: Readonly<Record<string, WorkloadInput>> = ${JSON.stringify(workloads, null, 2)};
`,
);
execFileSync('npx', ['biome', 'format', '--write', target], { stdio: 'inherit' });
