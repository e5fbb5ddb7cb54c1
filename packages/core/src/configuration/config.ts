import { PolycastError } from '../contract/error.ts';
import type { Transport } from '../contract/transport.ts';
import { type AdapterModule, isAdapter } from './adapters.ts';
import { isTransport } from './is-transport.ts';
import { suggestion } from './nearest.ts';
import { redactName, redactText } from './redact.ts';

/** One way to a transport. */
export interface ConfigEntry {
  /** `name://host`. `${NAME}` stands for an environment variable: as it is when it is the whole text, else percent-encoded. */
  readonly url?: string;
  /** A transport made by an adapter, for what a URL cannot say. Only in a script, not in JSON. */
  readonly transport?: Transport;
}

/** What `polycast.config.{ts,js,mjs,json}` exports by default. */
export interface PolycastConfig {
  /** By name: a URL, or an entry. `connect({ name })` picks one. */
  readonly transports: Readonly<Record<string, string | ConfigEntry>>;
  /**
   * By scheme, what serves it where no `@polycast/<scheme>` is installed: the name of a package, or in a script its module.
   */
  readonly adapters?: Readonly<Record<string, string | AdapterModule>>;
  /** The name that is used when `connect` says nothing and `POLYCAST_URL` is not set. */
  readonly default?: string;
}

const CONFIG_KEYS = ['transports', 'adapters', 'default'];
const ENTRY_KEYS = ['url', 'transport'];

/** Gives `polycast.config.ts` its types. */
export function defineConfig(config: PolycastConfig): PolycastConfig {
  return config;
}

/** A configuration as it was read, with what is needed to point at a mistake. */
export interface ConfigSource {
  /** As people know it: relative to where they are. */
  readonly file: string;
  /** The file's text. */
  readonly text: string;
  readonly value: unknown;
}

/** Checks what a file said. @throws PolycastError `invalid-configuration` with file, line and the nearest valid name. */
export function checkConfig(source: ConfigSource): PolycastConfig {
  const config = record(source, source.value, 'the default export', '');
  checkKeys(source, config, CONFIG_KEYS, '');
  if (!Object.hasOwn(config, 'transports')) throw fault(source, '', 'it has no "transports"');
  const transports = record(source, config.transports, '"transports"', 'transports');
  for (const [name, entry] of Object.entries(transports)) {
    if (typeof entry === 'string') continue;
    const fields = record(source, entry, `transport "${name}"`, name, ' or a URL');
    checkKeys(source, fields, ENTRY_KEYS, name);
    if ((fields.url === undefined) === (fields.transport === undefined)) {
      throw fault(source, name, `transport "${name}" must have either "url" or "transport"`);
    }
    if (fields.url !== undefined && typeof fields.url !== 'string') {
      throw fault(source, 'url', `the url of transport "${name}" must be a string`);
    }
    if (fields.transport !== undefined && !isTransport(fields.transport)) {
      throw fault(source, 'transport', `"${name}": transport must be made by an adapter`);
    }
  }
  checkAdapterEntries(source, config.adapters);
  if (config.default !== undefined) {
    if (typeof config.default !== 'string') throw fault(source, 'default', '"default" must be a string');
    pickEntry(source, { transports } as unknown as PolycastConfig, config.default, 'default');
  }
  return config as unknown as PolycastConfig;
}

function checkAdapterEntries(source: ConfigSource, adapters: unknown): void {
  if (adapters === undefined) return;
  for (const [scheme, entry] of Object.entries(record(source, adapters, '"adapters"', 'adapters'))) {
    if (!/^[a-z][a-z0-9.-]*(?:\+[a-z0-9.-]+)?$/.test(scheme)) {
      throw fault(source, scheme, `"${redactName(scheme)}" is not a URL scheme`, 'adapters');
    }
    if ((typeof entry !== 'string' || entry.trim() === '') && !isAdapter(entry)) {
      throw fault(source, scheme, `adapter "${scheme}" must be the name of a package, or its module`, 'adapters');
    }
  }
}

/** @throws PolycastError `invalid-configuration` with the names nearest to it. */
export function pickEntry(source: ConfigSource, config: PolycastConfig, name: string, at = ''): ConfigEntry {
  const entry = Object.hasOwn(config.transports, name) ? config.transports[name] : undefined;
  if (entry === undefined) {
    throw fault(
      source,
      at,
      `unknown transport "${redactName(name)}"${suggestion(name, Object.keys(config.transports))}`,
    );
  }
  return typeof entry === 'string' ? { url: entry } : entry;
}

/** Puts environment variables into a URL. @throws PolycastError `invalid-configuration` when one is not set. */
export function fillVariables(
  source: ConfigSource,
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  return text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
    const value = environment[name];
    if (value === undefined) throw fault(source, name, `environment variable ${name} is not set`);
    return whole === text.trim() ? value : encodeURIComponent(value);
  });
}

function record(
  source: ConfigSource,
  value: unknown,
  what: string,
  at: string,
  or = '',
): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw fault(source, at, `${what} must be an object${or}`);
}

function checkKeys(source: ConfigSource, value: object, allowed: readonly string[], after: string): void {
  for (const key of Object.keys(value)) {
    if (!allowed.includes(key))
      throw fault(source, key, `unknown name "${redactName(key)}"${suggestion(key, allowed)}`, after);
  }
}

function fault(source: ConfigSource, word: string, reason: string, after = ''): PolycastError {
  // A URL may stand where a name belongs.
  const shown = redactText(reason);
  return new PolycastError('invalid-configuration', `${source.file}${lineOf(source.text, word, after)}: ${shown}`);
}

/** `:12`, the line on which a name stands (searched behind `after`); empty when it is nowhere. */
function lineOf(text: string, word: string, after: string): string {
  if (word === '') return '';
  const start = after === '' ? 0 : Math.max(0, positionOf(text, after, 0));
  const at = positionOf(text, word, start);
  return at < 0 ? '' : `:${text.slice(0, at).split('\n').length}`;
}

function positionOf(text: string, word: string, from: number): number {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  for (const pattern of [`["']${escaped}["']\\s*:`, `(?<![\\w$-])${escaped}(?![\\w$-])`]) {
    const found = text.slice(from).search(new RegExp(pattern));
    if (found >= 0) return from + found;
  }
  return -1;
}
