import { PolycastError } from '../error.ts';
import type { Transport } from '../transport.ts';
import type { ConfigurationHost } from './host.ts';
import { isTransport } from './is-transport.ts';

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
    const names = given.map(([key]) => key);
    const all =
      names.length > 2 ? 'one of transport, url or name, not several' : `either ${names.join(' or ')}, not both`;
    throw new PolycastError('invalid-configuration', `give ${all}`);
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
    return (await host()).transportFromConfig(name);
  }
  const fromEnvironment = (await host()).environmentUrl();
  if (fromEnvironment !== undefined && fromEnvironment !== '') return transportFromUrl(fromEnvironment);
  return (await host()).transportFromConfig(undefined);
}

/** @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed` */
export async function transportFromUrl(url: string | URL): Promise<Transport> {
  return (await host()).transportFromUrl(url);
}

/** Loaded when it is needed: whoever gives a transport pays for none of it. @throws PolycastError `invalid-configuration` */
export async function host(): Promise<ConfigurationHost> {
  const { host } = (await import('#node-configuration')) as { host: ConfigurationHost | string };
  if (typeof host === 'string') throw new PolycastError('invalid-configuration', host);
  return host;
}
