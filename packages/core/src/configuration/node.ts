/// <reference types="node" />
import { PolycastError } from '../contract/error.ts';
import type { Transport } from '../contract/transport.ts';
import { entryFor, makeTransport } from './adapters.ts';
import { checkConfig, fillVariables, type PolycastConfig, pickEntry } from './config.ts';
import type { Brought, ConfigurationHost } from './host.ts';
import { suggestion } from './nearest.ts';
import { installCommand, installedSchemes, loadPackage, readConfig } from './project.ts';
import { redactName } from './redact.ts';
import { mergeRules, readTransportUrl, unknownTransport } from './transport-url.ts';

/** Looks into the file system and the environment of a Node process. */
export const host: ConfigurationHost = {
  environmentUrl: () => process.env.POLYCAST_URL,
  readConfig,
  transportFromUrl,
  transportFromConfig,
};

/**
 * An adapter of the caller's serves a URL, else the package of its scheme, else what the configuration names for that scheme.
 * @param source the configuration, where it has been read
 * @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed`
 */
async function transportFromUrl(
  input: string | URL,
  { adapters, schemes }: Brought,
  source?: CheckedConfig,
): Promise<Transport> {
  const rules = schemes ?? mergeRules({ ...adapters, installed: { schemes: await installedSchemes() } });
  const address = readTransportUrl(input, rules);
  const { url, scheme, packageName, known } = address;
  const given = entryFor(adapters, address);
  if (given !== undefined) return makeTransport(given.entry, `adapters.${given.key}`, input, url);
  const module = await loadPackage(packageName);
  const { file, config } = source ?? (module === undefined ? await readChecked(known) : undefined) ?? {};
  const configured = entryFor(config?.adapters, address);
  if (configured === undefined) {
    if (module !== undefined) return makeTransport(module, packageName, input, url);
    if (known) throw notInstalled(scheme, packageName);
    const schemes = new Set(Object.keys({ ...adapters, ...config?.adapters, ...rules.aliases }));
    for (const transport of rules.transports) schemes.add(transport);
    throw unknownTransport(address, rules, [...schemes], suggestion);
  }
  const { key, entry } = configured;
  if (module !== undefined) {
    const reason = `"${key}:" is served by ${packageName}, which is installed: remove the package, or "${key}" from "adapters"`;
    throw new PolycastError('invalid-configuration', `${file}: ${reason}`);
  }
  if (typeof entry !== 'string') return makeTransport(entry, `adapters.${key} of ${file}`, input, url);
  const named = await loadPackage(entry);
  if (named === undefined) throw notInstalled(scheme, entry);
  return makeTransport(named, entry, input, url);
}

function notInstalled(scheme: string, packageName: string): PolycastError {
  const reason = `"${scheme}:" needs the package ${packageName}: ${installCommand(packageName)}`;
  return new PolycastError('transport-not-installed', reason);
}

interface CheckedConfig {
  readonly file: string;
  readonly config: PolycastConfig;
}

/** @param isOptional is there something better to report than a file that cannot be read? */
async function readChecked(isOptional: boolean): Promise<CheckedConfig | undefined> {
  try {
    const source = await readConfig();
    return source && { file: source.file, config: checkConfig(source) };
  } catch (thrown) {
    if (isOptional) return undefined;
    throw thrown;
  }
}

async function transportFromConfig(name: string | undefined, brought: Brought): Promise<Transport> {
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
  const { file } = source;
  return transportFromUrl(fillVariables(source, entry.url!, process.env), brought, { file, config });
}
