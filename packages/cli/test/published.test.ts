import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const packages = new URL('../../', import.meta.url);
const published = readdirSync(packages)
  .map((folder) => JSON.parse(readFileSync(new URL(`${folder}/package.json`, packages), 'utf8')) as Manifest)
  .filter((manifest) => manifest.private !== true);
const byName = new Map(published.map((manifest) => [manifest.name, manifest]));

/** Ranges of npm that take later versions, and what pnpm writes as one when it publishes. */
const RANGE = /^(\^\d+\.\d+\.\d+( \|\| \^\d+\.\d+\.\d+)*|>=\d+(\.\d+)*|workspace:\^)$/;

test.each(published)('$name takes ranges: exact versions stay in the lockfile', (manifest) => {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const asked = Object.entries({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  expect(asked.filter(([, range]) => !RANGE.test(range))).toEqual([]);
});

test.each(published)('$name brings the peers of its own packages', (manifest) => {
  const { dependencies = {}, peerDependencies = {} } = manifest;
  for (const name of Object.keys(dependencies)) {
    const { peerDependencies: needed = {}, peerDependenciesMeta: meta = {} } = byName.get(name) ?? ({} as Manifest);
    for (const [sdk, range] of Object.entries(needed)) {
      if (meta[sdk]?.optional !== true) expect({ ...dependencies, ...peerDependencies }).toHaveProperty([sdk], range);
    }
  }
});

test('the SDKs are peers of their adapters, so that users install their own copy', () => {
  for (const [adapter, sdk] of [
    ['@polycast/redis', 'ioredis'],
    ['@polycast/service-bus', '@azure/service-bus'],
  ] as const) {
    const { dependencies, peerDependencies, peerDependenciesMeta } = byName.get(adapter) as Manifest;
    expect(dependencies).not.toHaveProperty([sdk]);
    expect(peerDependencies).toHaveProperty([sdk]);
    expect(peerDependenciesMeta).not.toHaveProperty([sdk]);
    const readme = readFileSync(new URL(`${adapter.split('/')[1]}/README.md`, packages), 'utf8');
    expect(readme).toMatch(new RegExp(`^npm install @polycast/core ${adapter} ${sdk}$`, 'm'));
  }
});
