import type { ApiVersion } from '../api-version.ts';

/** What a document depends on beside the entity it describes. */
export interface Context {
  /** Scheme, host and port the client used: `http://localhost:5300`. */
  readonly origin: string;
  /** Host and port of the same. */
  readonly host: string;
  /** Host names that mean this namespace, in lower case, without port. */
  readonly hostNames: ReadonlySet<string>;
  readonly version: ApiVersion;
}

/** Names may hold characters that URLs give a meaning; slashes and `$` stay. */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeURIComponent(segment).replaceAll('%24', '$'))
    .join('/');
}

export function urlOf(context: Context, path: string, query: Readonly<Record<string, number>> = {}): string {
  const pairs = Object.entries(query).map(([name, value]) => `&${name}=${value}`);
  return `${context.origin}/${encodePath(path)}?api-version=${context.version}${pairs.join('')}`;
}

/** What the namespace is called: the first label of its host name; an address as a whole. */
export function namespaceName(context: Context): string {
  const hostName = context.host.replace(/:\d+$/, '');
  return /^[\d.]+$|^\[/.test(hostName) ? hostName : hostName.replace(/\..*$/, '');
}
