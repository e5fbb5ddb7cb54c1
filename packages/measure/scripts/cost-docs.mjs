/** Writes the tables of docs/cost.md from prices/ and workloads/. Run `npm run build && npm run docs`; a test fails until you do. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeTables } from '../dist/cost/docs.js';
import { WORKLOADS } from '../dist/index.js';

const page = new URL('../../../docs/cost.md', import.meta.url);
writeFileSync(page, writeTables(readFileSync(page, 'utf8'), WORKLOADS));
execFileSync('npx', ['biome', 'format', '--write', fileURLToPath(page)], { stdio: 'inherit' });
