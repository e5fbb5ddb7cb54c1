import { host } from '#node-configuration';
import { PolycastError } from '../error.ts';
import type { Transport } from '../transport.ts';
import { readTransportUrl, unknownTransport } from './address-of-transport.ts';
import { checkConfig, fillVariables, isTransport, pickEntry } from './config.ts';
import { redactUrl } from './redact.ts';

/** How `connect` says which transport it means. At most one of them. */
export interface TransportChoice {
  readonly transport?: Transport | undefined;
  readonly url?: string | URL | undefined;
  readonly name?: string | undefined;
}

/**
 * The transport that is meant: the given one; the one of a URL; the entry of that name in `polycast.config.*`; else that of
 * `POLYCAST_URL`; else the configuration's default. Connects to nothing.
 *
 * @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed`. No message holds a secret.
 */
export async function resolveTransport(choice: TransportChoice): Promise<Transport> {
  const { transport, url, name } = choice;
  const given = Object.entries({ transport, url, name }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    const names = given.map(([key]) => key).join(' and ');
    throw new PolycastError('invalid-configuration', `${names} are given; one of them chooses the transport`);
  }
  if (transport !== undefined) {
    if (isTransport(transport)) return transport;
    throw new TypeError('transport must be made by an adapter, such as memory() or redis({ … })');
  }
  if (url !== undefined) {
    if (typeof url !== 'string' && !(url instanceof URL)) throw new TypeError('url must be a string or a URL');
    return transportFromUrl(url);
  }
  if (name !== undefined) {
    if (typeof name !== 'string') throw new TypeError('name must be a string');
    return transportFromConfig(name);
  }
  const fromEnvironment = host.environment.POLYCAST_URL;
  if (fromEnvironment !== undefined && fromEnvironment !== '') return transportFromUrl(fromEnvironment);
  return transportFromConfig(undefined);
}

/** @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed` */
export async function transportFromUrl(input: string | URL): Promise<Transport> {
  const { url, scheme, packageName, known } = readTransportUrl(input);
  const module = await host.loadPackage(packageName);
  if (module === undefined) {
    if (!known) throw unknownTransport(scheme);
    throw new PolycastError(
      'transport-not-installed',
      `"${scheme}:" needs the package ${packageName}: ${host.installCommand(packageName)}`,
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
  const source = await host.readConfig();
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
  return transportFromUrl(fillVariables(source, entry.url!, host.environment));
}
