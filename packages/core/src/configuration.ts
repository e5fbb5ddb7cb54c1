/** What tools need of the way a transport is chosen: the command line, a dashboard. Not in the bundle of those who only connect. */
import { type AdapterModule, entryFor } from './configuration/adapters.ts';
import { checkConfig, fillVariables, type PolycastConfig, pickEntry } from './configuration/config.ts';
import { host } from './configuration/resolve.ts';
import type { TransportAddress } from './configuration/transport-url.ts';

export type { AdapterModule, Adapters } from './configuration/adapters.ts';
export { type ConfigEntry, defineConfig, type PolycastConfig } from './configuration/config.ts';
export { nearest, suggestion } from './configuration/nearest.ts';
export { redactName, redactText, redactUrl, secretsOf } from './configuration/redact.ts';
export { resolveTransport, type TransportChoice, transportFromUrl } from './configuration/resolve.ts';
export { readTransportUrl, type SchemeRules, type TransportAddress } from './configuration/transport-url.ts';

/**
 * The nearest `polycast.config.*` upwards from the working directory, checked; undefined when there is none.
 * @throws PolycastError `invalid-configuration` with file and line
 */
export async function readConfiguration(): Promise<
  { readonly file: string; readonly config: PolycastConfig } | undefined
> {
  const source = await (await host()).readConfig();
  return source && { file: source.file, config: checkConfig(source) };
}

/**
 * The URL of an entry of the configuration file, or of the default one, with the environment variables filled in;
 * undefined when there is no file, no default, or the entry is not a URL.
 * @throws PolycastError `invalid-configuration` with file and line
 */
export async function configuredUrl(name: string | undefined): Promise<string | undefined> {
  const source = await (await host()).readConfig();
  if (source === undefined) return undefined;
  const config = checkConfig(source);
  const chosen = name ?? config.default;
  if (chosen === undefined) return undefined;
  const { url } = pickEntry(source, config, chosen);
  return url === undefined ? undefined : fillVariables(source, url, globalThis.process?.env ?? {});
}

/**
 * What the configuration file names for the scheme of a URL: a package, or in a script its module; undefined when it names none. It
 * counts where the package of the scheme is not installed.
 * @throws PolycastError `invalid-configuration` with file and line
 */
export async function configuredAdapter(address: TransportAddress): Promise<string | AdapterModule | undefined> {
  const source = await (await host()).readConfig();
  return source && entryFor(checkConfig(source).adapters, address)?.entry;
}
