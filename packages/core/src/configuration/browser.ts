import type { ConfigurationHost } from './host.ts';

/** Why there is none: in a browser there is no project to look into, and bundlers need to see which adapter is used. */
export const host: ConfigurationHost | string =
  'url and name are not supported in a browser: import an adapter and pass transport to connect()';
