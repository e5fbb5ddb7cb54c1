import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Installed versions of what this package depends on: other versions give other figures. */
export function installedVersions(): Readonly<Record<string, string>> {
  const own = createRequire(import.meta.url)('../../package.json') as { dependencies: Record<string, string> };
  const versions: Record<string, string> = {};
  for (const name of Object.keys(own.dependencies)) {
    const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
    versions[name] = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
  return versions;
}
