import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Harness } from '@polycast/conformance';
import { PolycastError, type Transport, type TransportFromUrl } from '@polycast/core';
import { resolveTransport } from '@polycast/core/configuration';

type Adapter = { readonly fromUrl: TransportFromUrl };

/** Adapters that come with the command line, for those whose project has none. */
const BUNDLED: Readonly<Record<string, string>> = {
  memory: '@polycast/memory',
  redis: '@polycast/redis',
  rediss: '@polycast/redis',
  'service-bus': '@polycast/service-bus',
};

/**
 * The transport of a URL: the project's own adapter if it has one, else the one that comes with the command line.
 * @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed`
 */
export async function transportFromUrl(url: string): Promise<Transport> {
  try {
    return await resolveTransport({ url });
  } catch (error) {
    const bundled = await bundledAdapter(url);
    if (bundled === undefined || !isNotInstalled(error)) throw error;
    return bundled.fromUrl(new URL(url));
  }
}

/**
 * As {@link transportFromUrl}, again and again without waiting.
 * @throws PolycastError `transport-not-installed`
 */
export async function transportMaker(url: string): Promise<() => Transport> {
  const adapter = await load<Adapter>(url, '');
  if (adapter === undefined) throw new PolycastError('transport-not-installed', `${packageOf(url)} is not installed`);
  return () => adapter.fromUrl(new URL(url));
}

/** What the adapter of a URL brings to be put to the test with; undefined if its package has no sub-path `/conformance`. */
export async function harnessOf(url: string): Promise<Harness | undefined> {
  return (await load<{ readonly harness: Harness }>(url, '/conformance'))?.harness;
}

/** `@polycast/redis` for `rediss+streams://…` */
export function packageOf(url: string): string {
  const base = baseOf(url);
  return BUNDLED[base] ?? `@polycast/${base}`;
}

/** The built file of a bundled adapter, for processes that cannot find it by name. Within the workspace it may be read from source. */
export function bundledAdapterFile(url: string): string | undefined {
  const name = BUNDLED[baseOf(url)];
  return name && import.meta.resolve(name).replace(/\/src\/index\.ts$/, '/dist/index.js');
}

async function bundledAdapter(url: string): Promise<Adapter | undefined> {
  const name = BUNDLED[baseOf(url)];
  return name === undefined ? undefined : import(name);
}

/** A module of the adapter's package: of the project's own if it has one, else of the one that comes with the command line. */
async function load<Module>(url: string, subPath: '' | '/conformance'): Promise<Module | undefined> {
  const name = packageOf(url);
  const project = join(process.cwd(), 'package.json');
  const inProject = resolveFrom(project, name);
  const isProjects = inProject !== undefined && inProject !== resolveFrom(import.meta.url, name);
  const file = resolveFrom(isProjects ? project : import.meta.url, `${name}${subPath}`);
  if (file === undefined) return undefined;
  // A plain specifier leaves the choice of conditions to whoever runs us.
  return import(isProjects ? pathToFileURL(file).href : `${name}${subPath}`);
}

function resolveFrom(from: string, specifier: string): string | undefined {
  try {
    return createRequire(from).resolve(specifier);
  } catch {
    return undefined;
  }
}

function baseOf(url: string): string {
  return url.slice(0, Math.max(0, url.indexOf(':'))).split('+', 1)[0]!;
}

function isNotInstalled(error: unknown): boolean {
  return error instanceof PolycastError && error.code === 'transport-not-installed';
}
