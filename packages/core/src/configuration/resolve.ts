import { PolycastError } from '../contract/error.ts';
import type { Transport } from '../contract/transport.ts';
import { type Adapters, checkAdapters, entryFor, makeTransport } from './adapters.ts';
import type { ConfigurationHost } from './host.ts';
import { isTransport } from './is-transport.ts';
import { mergeRules, readTransportUrl, type SchemeRules, unknownTransport } from './transport-url.ts';

/** How `connect` says which transport it means. At most one of `transport`, `url` and `name`. */
export interface TransportChoice {
  readonly transport?: Transport | undefined;
  readonly url?: string | URL | undefined;
  readonly name?: string | undefined;
  /** They come before installed packages. Not with `transport`. */
  readonly adapters?: Adapters | undefined;
  /** What is known of schemes. @default what the adapters of `adapters` know, and that of an installed `@polycast/catalogue` */
  readonly schemes?: SchemeRules | undefined;
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
    const names = given.map(([key]) => key);
    const all =
      names.length > 2 ? 'one of transport, url or name, not several' : `either ${names.join(' or ')}, not both`;
    throw new PolycastError('invalid-configuration', `give ${all}`);
  }
  const adapters = choice.adapters === undefined ? undefined : checkAdapters(choice.adapters);
  if (transport !== undefined) {
    if (!isTransport(transport)) throw new TypeError('transport must be made by an adapter, or pass url or name');
    if (adapters === undefined) return transport;
    throw new PolycastError('invalid-configuration', 'adapters serve url and name: pass either transport or adapters');
  }
  const how = { adapters, schemes: choice.schemes };
  if (url !== undefined) {
    if (typeof url !== 'string' && !(url instanceof URL)) throw new TypeError('url must be a string or a URL');
    return transportFromUrl(url, how);
  }
  if (name !== undefined) {
    if (typeof name !== 'string') throw new TypeError('name must be a string');
    return (await host()).transportFromConfig(name, how);
  }
  const fromEnvironment = (await host()).environmentUrl();
  if (fromEnvironment !== undefined && fromEnvironment !== '') return transportFromUrl(fromEnvironment, how);
  return (await host()).transportFromConfig(undefined, how);
}

/** @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed` */
export async function transportFromUrl(
  url: string | URL,
  how: Pick<TransportChoice, 'adapters' | 'schemes'> = {},
): Promise<Transport> {
  const found = await hostOrReason();
  if (typeof found !== 'string') return found.transportFromUrl(url, how);
  const { adapters } = how;
  if (adapters === undefined) throw new PolycastError('invalid-configuration', found);
  const rules = how.schemes ?? mergeRules(adapters);
  const address = readTransportUrl(url, rules);
  const given = entryFor(adapters, address);
  if (given === undefined) throw unknownTransport(address, rules, Object.keys(adapters), available);
  return makeTransport(given.entry, `adapters.${given.key}`, url, address.url);
}

/** Without looking for the nearest: what a page brings are few. */
function available(_: string, schemes: readonly string[]): string {
  return schemes.length === 0 ? '; adapters is empty' : `; available: ${schemes.map((name) => `"${name}"`).join(', ')}`;
}

/** Loaded on demand: not needed if a transport is passed. @throws PolycastError `invalid-configuration` */
export async function host(): Promise<ConfigurationHost> {
  const found = await hostOrReason();
  if (typeof found === 'string') throw new PolycastError('invalid-configuration', found);
  return found;
}

/** Why there is none, in a browser. */
async function hostOrReason(): Promise<ConfigurationHost | string> {
  const { host } = (await import('#node-configuration')) as { host: ConfigurationHost | string };
  return host;
}
