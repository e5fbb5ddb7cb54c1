import type { ConfigurationHost } from './host.ts';

/** Why there is none: in a browser there is no project to look into, and bundlers need to see which adapter is used. */
export const host: ConfigurationHost | string =
  'a browser has no packages and no configuration file to look into: pass url with adapters, or transport, to connect()';
