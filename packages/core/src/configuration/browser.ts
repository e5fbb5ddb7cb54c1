import { PolycastError } from '../error.ts';
import type { ConfigurationHost } from './host.ts';

/** In a browser there is no project to look into: bundlers need to see which adapter is used. */
const refuse = () =>
  Promise.reject(
    new PolycastError(
      'invalid-configuration',
      'a browser has no packages to load and no configuration file: import an adapter and give connect a transport',
    ),
  );

export const host: ConfigurationHost = {
  environmentUrl: () => undefined,
  readConfig: refuse,
  transportFromUrl: refuse,
  transportFromConfig: refuse,
};
