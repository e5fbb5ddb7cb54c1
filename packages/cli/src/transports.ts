import { PolycastError, type Transport, type TransportFromUrl } from '@polycast/core';
import { resolveTransport } from '@polycast/core/configuration';

type Adapter = { readonly fromUrl: TransportFromUrl };

/** Adapters that come with the command line, for those whose project has none. */
const BUNDLED: Readonly<Record<string, string>> = {
  memory: '@polycast/memory',
  redis: '@polycast/redis',
  rediss: '@polycast/redis',
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

/** As {@link transportFromUrl}, again and again without waiting: what loads the adapter has been done. */
export async function transportMaker(url: string): Promise<() => Transport> {
  const { manifest } = await transportFromUrl(url);
  const adapter = (await bundledAdapter(url)) ?? (await projectAdapter(manifest.transport));
  return () => adapter.fromUrl(new URL(url));
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

async function projectAdapter(transport: string): Promise<Adapter> {
  return import(`@polycast/${transport.split('+', 1)[0]}`);
}

function baseOf(url: string): string {
  return url.slice(0, Math.max(0, url.indexOf(':'))).split('+', 1)[0]!;
}

function isNotInstalled(error: unknown): boolean {
  return error instanceof PolycastError && error.code === 'transport-not-installed';
}
