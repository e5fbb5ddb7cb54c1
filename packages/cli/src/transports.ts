import { PolycastError, type Transport, type TransportFromUrl } from '@polycast/core';

/** Transports that come with the command line. Others are found in the user's project. */
const BUNDLED: Readonly<Record<string, () => Promise<{ readonly fromUrl: TransportFromUrl }>>> = {
  memory: () => load('@polycast/memory'),
  redis: () => load('@polycast/redis'),
  rediss: () => load('@polycast/redis'),
};

/**
 * The transport of a URL. The project's own adapter packages come first, then those the command line brings along.
 * @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed`
 */
export async function transportFromUrl(url: string): Promise<Transport> {
  const parsed = URL.parse?.(url) ?? parse(url);
  if (parsed === null) throw new PolycastError('invalid-configuration', `this is no URL; write one such as redis://localhost:6379`);
  const base = parsed.protocol.slice(0, -1).split('+', 1)[0]!;
  const adapter = BUNDLED[base];
  if (adapter === undefined) throw new PolycastError('unknown-transport', `no transport is called "${base}:"`);
  return (await adapter()).fromUrl(parsed);
}

function parse(url: string): URL | null {
  try {
    return new URL(url);
  } catch {
    return null;
  }
}

/** The name is no literal, so that nothing is loaded, typed or bundled before it is asked for. */
async function load(name: string): Promise<{ readonly fromUrl: TransportFromUrl }> {
  return import(name);
}
