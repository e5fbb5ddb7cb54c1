import { PolycastError } from '../contract/error.ts';
import type { Transport, TransportFromUrl } from '../contract/transport.ts';
import { isTransport } from './is-transport.ts';
import { redactError, redactText, redactUrl, secretsOf } from './redact.ts';
import { areRules, type SchemeRules, type TransportAddress } from './transport-url.ts';

/** What an adapter package exports: `import * as name from '@polycast/name'`. */
export interface AdapterModule {
  /** Makes a transport of a URL. */
  readonly fromUrl: TransportFromUrl;
  /** What the adapter knows of schemes, its own and those of others. @default nothing */
  readonly schemes?: SchemeRules;
}

/** Adapters by the scheme that each serves: `{ name }` serves `name:` and `name+variant:`, `{ 'name+variant': … }` that variant. */
export type Adapters = Readonly<Record<string, AdapterModule>>;

/** @throws TypeError naming the entry that is not an adapter */
export function checkAdapters(adapters: unknown): Adapters {
  if (typeof adapters !== 'object' || adapters === null) throw new TypeError('adapters must be an object');
  for (const [name, module] of Object.entries(adapters)) {
    if (!isAdapter(module)) {
      throw new TypeError(`adapters.${name} must be an adapter's module, with fromUrl: import * as … from '…'`);
    }
    if (module.schemes !== undefined && !areRules(module.schemes)) {
      throw new TypeError(`adapters.${name}.schemes must be like SCHEMES of @polycast/catalogue`);
    }
  }
  return adapters as Adapters;
}

export function isAdapter(module: unknown): module is AdapterModule {
  return (
    typeof module === 'object' && module !== null && typeof (module as Partial<AdapterModule>).fromUrl === 'function'
  );
}

/** The entry that serves a URL, and its name; the most precise one first. */
export function entryFor<Entry>(
  entries: Readonly<Record<string, Entry>> | undefined,
  { scheme, name }: TransportAddress,
): { readonly key: string; readonly entry: Entry } | undefined {
  if (entries === undefined) return undefined;
  const key = [scheme, scheme.split('+', 1)[0]!, name].find((each) => Object.hasOwn(entries, each));
  return key === undefined ? undefined : { key, entry: entries[key]! };
}

/**
 * What an adapter makes of a URL.
 * @param from what to call the adapter in an error
 * @throws PolycastError `invalid-configuration`, or what the adapter throws. No message holds a secret.
 */
export async function makeTransport(
  module: Readonly<Record<string, unknown>> | AdapterModule,
  from: string,
  input: string | URL,
  url: URL,
): Promise<Transport> {
  const { fromUrl } = module;
  if (typeof fromUrl !== 'function') {
    throw new PolycastError('invalid-configuration', `${from} is not a transport package: it does not export fromUrl`);
  }
  let made: unknown;
  try {
    made = await fromUrl(url);
  } catch (error) {
    throw refusal(error, [...secretsOf(input), ...secretsOf(url)], `${from} refuses "${redactUrl(url)}"`);
  }
  if (isTransport(made)) return made;
  throw new PolycastError('invalid-configuration', `${from} did not make a transport from "${redactUrl(url)}"`);
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
