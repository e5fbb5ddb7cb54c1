/// <reference types="node" />
import { PolycastError } from '../error.ts';
import type { Transport } from '../transport.ts';
import { readTransportUrl, unknownTransport } from './address-of-transport.ts';
import { checkConfig, fillVariables, pickEntry } from './config.ts';
import type { ConfigurationHost } from './host.ts';
import { isTransport } from './is-transport.ts';
import { installCommand, loadPackage, readConfig } from './project.ts';
import { redactError, redactName, redactText, redactUrl, secretsOf } from './redact.ts';

/** Looks into the file system and the environment of a Node process. */
export const host: ConfigurationHost = {
  environmentUrl: () => process.env.POLYCAST_URL,
  readConfig,
  transportFromUrl,
  transportFromConfig,
};

/** @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed` */
async function transportFromUrl(input: string | URL): Promise<Transport> {
  const address = readTransportUrl(input);
  const { url, scheme, packageName, known } = address;
  const module = await loadPackage(packageName);
  if (module === undefined) {
    if (!known) throw unknownTransport(address);
    throw new PolycastError(
      'transport-not-installed',
      `"${scheme}:" needs the package ${packageName}: ${installCommand(packageName)}`,
    );
  }
  const { fromUrl } = module;
  if (typeof fromUrl !== 'function') {
    throw new PolycastError(
      'invalid-configuration',
      `${packageName} is not a transport package: it does not export fromUrl`,
    );
  }
  let made: unknown;
  try {
    made = await fromUrl(url);
  } catch (error) {
    throw refusal(error, [...secretsOf(input), ...secretsOf(url)], `${packageName} refuses "${redactUrl(url)}"`);
  }
  if (!isTransport(made)) {
    throw new PolycastError(
      'invalid-configuration',
      `${packageName} did not make a transport from "${redactUrl(url)}"`,
    );
  }
  return made;
}

/** What an adapter says of a URL that it refuses, without what it may repeat of it. */
function refusal(error: unknown, secrets: readonly string[], otherwise: string): PolycastError {
  if (!(error instanceof PolycastError)) {
    return new PolycastError('invalid-configuration', otherwise, { cause: redactError(error, secrets) });
  }
  const message = redactText(error.message, secrets);
  if (message === error.message && error.cause === undefined) return error;
  const options = error.cause === undefined ? undefined : { cause: redactError(error.cause, secrets) };
  return new PolycastError(error.code, message.slice(error.code.length + 2), options);
}

async function transportFromConfig(name: string | undefined): Promise<Transport> {
  const source = await readConfig();
  if (source === undefined) {
    const reason =
      name === undefined
        ? 'no transport selected: pass transport, url or name to connect(), or set POLYCAST_URL'
        : `connect({ name: ${JSON.stringify(redactName(name))} }) needs a polycast.config.ts, .mjs, .js or .json here or in a folder above`;
    throw new PolycastError('invalid-configuration', reason);
  }
  const config = checkConfig(source);
  const chosen = name ?? config.default;
  if (chosen === undefined) {
    throw new PolycastError(
      'invalid-configuration',
      `no transport selected: pass transport, url or name to connect(), set POLYCAST_URL, or set "default" in ${source.file}`,
    );
  }
  const entry = pickEntry(source, config, chosen);
  if (entry.transport !== undefined) return entry.transport;
  return transportFromUrl(fillVariables(source, entry.url!, process.env));
}
