import { CATALOGUE } from '../catalogue.ts';
import { PolycastError } from '../error.ts';
import { suggestion } from './nearest.ts';
import { redactUrl } from './redact.ts';

/** Schemes that name another way to the same transport. The adapter still sees the scheme as it was written. */
const ALIASES: Readonly<Record<string, string>> = { rediss: 'redis' };

/** How a connection string begins that a vendor's portal gives, and the scheme it goes behind. */
const SERVICE_BUS = /^Endpoint=sb:/i;

/** A transport's URL, and the package that makes a transport of it. */
export interface TransportAddress {
  readonly url: URL;
  /** `redis+streams` */
  readonly scheme: string;
  /** `@polycast/redis` */
  readonly packageName: string;
  /** Is it one of those this version of core knows about? */
  readonly known: boolean;
}

/** @throws PolycastError `invalid-configuration` when it is no URL. */
export function readTransportUrl(input: string | URL): TransportAddress {
  const url =
    typeof input === 'string'
      ? parse(SERVICE_BUS.test(input.trim()) ? `service-bus:${input.trim()}` : input.trim())
      : input;
  const scheme = url.protocol.slice(0, -1);
  const base = scheme.split('+', 1)[0]!;
  const name = ALIASES[base] ?? base;
  return { url, scheme, packageName: `@polycast/${name}`, known: knownNames().includes(name) };
}

/** The error for a scheme that belongs to no known transport. */
export function unknownTransport({ url, scheme }: TransportAddress): PolycastError {
  // `localhost:6379` and `default:password@host` are URLs, too, whose schemes are `localhost` and `default`.
  const rest = url.href.slice(url.protocol.length);
  const isPlace = /^\d+$/.test(rest) || (rest.includes('@') && !rest.startsWith('//'));
  if (isPlace || !redactUrl(url).startsWith(url.protocol)) return notAUrl(url.href, NO_SCHEME);
  const schemes = [...CATALOGUE.map(({ transport }) => transport), ...Object.keys(ALIASES)];
  return new PolycastError('unknown-transport', `unknown transport "${scheme}:"${suggestion(scheme, schemes)}`);
}

function knownNames(): string[] {
  return CATALOGUE.map(({ transport }) => transport.split('+', 1)[0]!);
}

function parse(text: string): URL {
  if (text === '') throw new PolycastError('invalid-configuration', 'the transport URL is empty');
  try {
    return new URL(text);
  } catch {
    const hint = /^[a-z][a-z0-9+.-]*:/i.test(text)
      ? 'check the host, the port (0-65535) and that special characters of the password are percent-encoded'
      : NO_SCHEME;
    // The parser's own error repeats the URL, secrets included: it is not kept as the cause.
    throw notAUrl(text, hint);
  }
}

const NO_SCHEME = 'it must start with a scheme, such as redis://';

function notAUrl(text: string, hint: string): PolycastError {
  return new PolycastError('invalid-configuration', `"${redactUrl(text)}" is not a valid transport URL: ${hint}`);
}
