/// <reference types="node" />
import { PolycastError } from '../error.ts';
import type { Transport } from '../transport.ts';
import { readTransportUrl, unknownTransport } from './address-of-transport.ts';
import { checkConfig, fillVariables, pickEntry } from './config.ts';
import type { ConfigurationHost } from './host.ts';
import { isTransport } from './is-transport.ts';
import { installCommand, loadPackage, readConfig } from './project.ts';
import { redactUrl } from './redact.ts';

/** Looks into the file system and the environment of a Node process. */
export const host: ConfigurationHost = {
  environmentUrl: () => process.env.POLYCAST_URL,
  readConfig,
  transportFromUrl,
  transportFromConfig,
};

/** @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed` */
async function transportFromUrl(input: string | URL): Promise<Transport> {
  const { url, scheme, packageName, known } = readTransportUrl(input);
  const module = await loadPackage(packageName);
  if (module === undefined) {
    if (!known) throw unknownTransport(scheme);
    throw new PolycastError(
      'transport-not-installed',
      `"${scheme}:" needs the package ${packageName}: ${installCommand(packageName)}`,
    );
  }
  const { fromUrl } = module;
  if (typeof fromUrl !== 'function') {
    throw new PolycastError('invalid-configuration', `${packageName} is no transport: it exports no fromUrl`);
  }
  let made: unknown;
  try {
    made = await fromUrl(url);
  } catch (error) {
    if (error instanceof PolycastError) throw error;
    throw new PolycastError('invalid-configuration', `${packageName} refuses "${redactUrl(url)}"`, { cause: error });
  }
  if (!isTransport(made)) {
    throw new PolycastError('invalid-configuration', `${packageName} made no transport of "${redactUrl(url)}"`);
  }
  return made;
}

async function transportFromConfig(name: string | undefined): Promise<Transport> {
  const source = await readConfig();
  if (source === undefined) {
    const reason =
      name === undefined
        ? 'no transport is chosen: give connect a transport, a url or a name, or set POLYCAST_URL'
        : `connect({ name: ${JSON.stringify(name)} }) needs a polycast.config.ts, .mjs, .js or .json here or in a folder above`;
    throw new PolycastError('invalid-configuration', reason);
  }
  const config = checkConfig(source);
  const chosen = name ?? config.default;
  if (chosen === undefined) {
    throw new PolycastError(
      'invalid-configuration',
      `no transport is chosen: give connect a transport, a url or a name, set POLYCAST_URL, or say "default" in ${source.file}`,
    );
  }
  const entry = pickEntry(source, config, chosen);
  if (entry.transport !== undefined) return entry.transport;
  return transportFromUrl(fillVariables(source, entry.url!, process.env));
}
