import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** By ending, in the order in which `connect` looks for them. */
export const CONFIG_FILES = {
  ts: 'polycast.config.ts',
  mts: 'polycast.config.mts',
  mjs: 'polycast.config.mjs',
  js: 'polycast.config.js',
  json: 'polycast.config.json',
} as const;

/** The name of the configuration file in a folder. */
export function findConfigFile(folder: string): string | undefined {
  return Object.values(CONFIG_FILES).find((name) => existsSync(join(folder, name)));
}
