import { PolycastError } from '../contract/error.ts';
import { redactUrl } from './redact.ts';

/** What is known of schemes before an adapter is loaded. Adapters and tools bring it: `SCHEMES` of `@polycast/catalogue`. */
export interface SchemeRules {
  /** Schemes of all transports. What stands before a `+` names the package, `@polycast/<name>`. */
  readonly transports: readonly string[];
  /** Other names for them. The adapter still sees the scheme as it was written. */
  readonly aliases: Readonly<Record<string, string>>;
  /** How connection strings of a vendor's portal begin, in any letter case, and the scheme that each stands for. */
  readonly connectionStrings: Readonly<Record<string, string>>;
}

/** Nothing is known: a scheme is the name of its package. */
export const NO_RULES: SchemeRules = { transports: [], aliases: {}, connectionStrings: {} };

/** Is it what it says? It comes from packages of other versions, and of others. */
export function areRules(value: unknown): value is SchemeRules {
  const { transports, aliases, connectionStrings } = Object(value) as Partial<Record<keyof SchemeRules, unknown>>;
  const isText = (each: unknown) => typeof each === 'string';
  const isTable = (table: unknown) => typeof table === 'object' && table !== null && Object.values(table).every(isText);
  return Array.isArray(transports) && transports.every(isText) && isTable(aliases) && isTable(connectionStrings);
}

/** What several adapters know, together. */
export function mergeRules(
  adapters: Readonly<Record<string, { readonly schemes?: SchemeRules | undefined }>> | undefined,
): SchemeRules {
  const all = Object.values(adapters ?? {}).flatMap(({ schemes }) => (schemes === undefined ? [] : [schemes]));
  return {
    transports: [...new Set(all.flatMap(({ transports }) => transports))],
    aliases: Object.assign({}, ...all.map(({ aliases }) => aliases)),
    connectionStrings: Object.assign({}, ...all.map(({ connectionStrings }) => connectionStrings)),
  };
}

/** A transport's URL, and the package that makes a transport of it. */
export interface TransportAddress {
  readonly url: URL;
  /** Of the URL, without the colon. */
  readonly scheme: string;
  /** The scheme without its variant, and by its proper name: what adapters are listed by. */
  readonly name: string;
  /** `@polycast/<name>` */
  readonly packageName: string;
  /** Is it one of those that the rules list? */
  readonly known: boolean;
}

/**
 * @param rules what is known of schemes. @default nothing
 * @throws PolycastError `invalid-configuration` when it is not a URL.
 */
export function readTransportUrl(input: string | URL, rules: SchemeRules = NO_RULES): TransportAddress {
  const url = typeof input === 'string' ? parse(withScheme(input.trim(), rules), rules) : input;
  const scheme = url.protocol.slice(0, -1);
  const base = scheme.split('+', 1)[0]!;
  const name = (Object.hasOwn(rules.aliases, base) ? rules.aliases[base] : undefined) ?? base;
  const known = rules.transports.some((transport) => transport.split('+', 1)[0] === name);
  return { url, scheme, name, packageName: `@polycast/${name}`, known };
}

/**
 * The error for a scheme that belongs to no known transport.
 * @param schemes those that would be found
 * @param suggestion words what was perhaps meant; browsers have a shorter one
 */
export function unknownTransport(
  { url, scheme }: TransportAddress,
  rules: SchemeRules,
  schemes: readonly string[],
  suggestion: (word: string, candidates: readonly string[]) => string,
): PolycastError {
  // `localhost:6379` and `default:password@host` are URLs, too, whose schemes are `localhost` and `default`.
  const rest = url.href.slice(url.protocol.length);
  const isPlace = /^\d+$/.test(rest) || (rest.includes('@') && !rest.startsWith('//'));
  if (isPlace || !redactUrl(url).startsWith(url.protocol)) return notAUrl(url.href, noScheme(rules));
  return new PolycastError('unknown-transport', `unknown transport "${scheme}:"${suggestion(scheme, schemes)}`);
}

function withScheme(text: string, { connectionStrings }: SchemeRules): string {
  const lower = text.toLowerCase();
  const found = Object.entries(connectionStrings).find(([start]) => lower.startsWith(start.toLowerCase()));
  return found === undefined ? text : `${found[1]}:${text}`;
}

function parse(text: string, rules: SchemeRules): URL {
  if (text === '') throw new PolycastError('invalid-configuration', 'the transport URL is empty');
  try {
    return new URL(text);
  } catch {
    const hint = /^[a-z][a-z0-9+.-]*:/i.test(text)
      ? 'check the host, the port (0-65535) and that special characters of the password are percent-encoded'
      : noScheme(rules);
    // The parser's own error repeats the URL, secrets included: it is not kept as the cause.
    throw notAUrl(text, hint);
  }
}

function noScheme({ transports }: SchemeRules): string {
  const such = transports.length === 0 ? 'name://host' : transports.map((scheme) => `${scheme}:`).join(', ');
  return `it must start with a scheme, such as ${such}`;
}

function notAUrl(text: string, hint: string): PolycastError {
  return new PolycastError('invalid-configuration', `"${redactUrl(text)}" is not a valid transport URL: ${hint}`);
}
