import type { ConfigurationHost } from './host.ts';

/** Why there is none: in a browser there is no project to look into, and bundlers need to see which adapter is used. */
export const host: ConfigurationHost | string =
  'a browser has no packages to load and no configuration file: import an adapter and give connect a transport';
