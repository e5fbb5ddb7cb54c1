import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SCHEMES } from '@polycast/catalogue';
import type { Harness } from '@polycast/conformance';
import { PolycastError, type Transport, type TransportFromUrl } from '@polycast/core';
import { configuredAdapter, resolveTransport } from '@polycast/core/configuration';
import { readTransportUrl } from './transport-url.ts';

type Adapter = { readonly fromUrl: TransportFromUrl };

/** Adapters that come with the command line, for those whose project has none. */
const BUNDLED: readonly string[] = ['@polycast/memory', '@polycast/redis', '@polycast/service-bus'];

/**
 * The transport of a URL: the project's own adapter if it has one that uses our copy of core, else the one that comes with the command
 * line.
 * @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed`
 */
export async function transportFromUrl(url: string): Promise<Transport> {
  const name = packageOfScheme(url);
  if (isForeign(name)) {
    const bundled = await bundledAdapter(url);
    if (bundled !== undefined) return bundled.fromUrl(readTransportUrl(url).url);
    throw new PolycastError(
      'invalid-configuration',
      `${name} in this project uses another copy of @polycast/core than this command line: install polycast in the project`,
    );
  }
  try {
    return await resolveTransport({ url, schemes: SCHEMES });
  } catch (error) {
    if (!isNotInstalled(error)) throw error;
    const bundled = await bundledAdapter(url);
    if (bundled === undefined) throw error;
    return bundled.fromUrl(readTransportUrl(url).url);
  }
}

/**
 * As {@link transportFromUrl}, again and again without waiting.
 * @throws PolycastError `transport-not-installed`
 */
export async function transportMaker(url: string): Promise<() => Transport> {
  const adapter = await load<Adapter>(url, '');
  if (adapter === undefined)
    throw new PolycastError('transport-not-installed', `${await packageOf(url)} is not installed`);
  const address = readTransportUrl(url).url;
  return () => adapter.fromUrl(new URL(address));
}

/** What the adapter of a URL brings to be put to the test with; undefined if its package has no sub-path `/conformance`. */
export async function harnessOf(url: string): Promise<Harness | undefined> {
  return (await load<{ readonly harness: Harness }>(url, '/conformance'))?.harness;
}

/** The built file of that harness, as a `file:` URL, for processes of their own. */
export async function harnessFileOf(url: string): Promise<string | undefined> {
  const file = fileOf(await packageOf(url), '/conformance');
  // Within the workspace it may be found as source, which Node 20 cannot run.
  return file && pathToFileURL(file).href.replace(/\/src\/(\w+)\.ts$/, '/dist/$1.js');
}

/** `@polycast/redis` for `rediss+streams://…`. @throws PolycastError `invalid-configuration` */
function packageOfScheme(url: string): string {
  return readTransportUrl(url).packageName;
}

/**
 * The package that serves a URL: that of its scheme, or where it is not installed what the configuration file names.
 * @throws PolycastError `invalid-configuration`
 */
export async function packageOf(url: string): Promise<string> {
  const address = readTransportUrl(url);
  if (fileOf(address.packageName, '') !== undefined) return address.packageName;
  const configured = await configuredAdapter(address);
  return typeof configured === 'string' ? configured : address.packageName;
}

/** The built file of a bundled adapter, for processes that cannot find it by name. Within the workspace it may be read from source. */
export function bundledAdapterFile(url: string): string | undefined {
  const name = packageOfScheme(url);
  return BUNDLED.includes(name) ? import.meta.resolve(name).replace(/\/src\/index\.ts$/, '/dist/index.js') : undefined;
}

async function bundledAdapter(url: string): Promise<Adapter | undefined> {
  const name = packageOfScheme(url);
  return BUNDLED.includes(name) ? import(name) : undefined;
}

/** A module of the adapter's package: of the project's own if it has one, else of the one that comes with the command line. */
async function load<Module>(url: string, subPath: '' | '/conformance'): Promise<Module | undefined> {
  const name = await packageOf(url);
  const file = fileOf(name, subPath);
  if (file === undefined) return undefined;
  // A plain specifier leaves the choice of conditions to whoever runs us.
  return import(isOfProject(name) ? pathToFileURL(file).href : `${name}${subPath}`);
}

function fileOf(name: string, subPath: '' | '/conformance'): string | undefined {
  return resolveFrom(isOfProject(name) ? projectFile() : import.meta.url, `${name}${subPath}`);
}

/** Bundled adapters that the project has, too, but with another copy of core: those that come with the command line are used. */
export function replacedAdapters(): readonly string[] {
  return BUNDLED.filter(isForeign);
}

/** Does the project bring the package itself, for our copy of core? */
function isOfProject(name: string): boolean {
  const inProject = resolveFrom(projectFile(), name);
  return inProject !== undefined && inProject !== resolveFrom(import.meta.url, name) && usesOurCore(inProject);
}

/** Does the project bring the package, but for another copy of core? Its transports could not be connected. */
function isForeign(name: string): boolean {
  const inProject = resolveFrom(projectFile(), name);
  return inProject !== undefined && !usesOurCore(inProject);
}

function usesOurCore(file: string): boolean {
  const core = resolveFrom(file, '@polycast/core');
  return core === undefined || core === resolveFrom(import.meta.url, '@polycast/core');
}

function projectFile(): string {
  return join(process.cwd(), 'package.json');
}

function resolveFrom(from: string, specifier: string): string | undefined {
  try {
    return createRequire(from).resolve(specifier);
  } catch {
    return undefined;
  }
}

function isNotInstalled(error: unknown): boolean {
  return error instanceof PolycastError && error.code === 'transport-not-installed';
}
