import { PolycastError } from '../error.ts';
import type { ConfigurationHost } from './host.ts';

/** In a browser there is no project to look into: bundlers need to see which adapter is used. */
export const host: ConfigurationHost = {
  environment: {},
  loadPackage(name) {
    const reason = `a browser cannot load ${name} by itself: import the adapter and give connect a transport`;
    return Promise.reject(new PolycastError('invalid-configuration', reason));
  },
  installCommand: (name) => `npm install ${name}`,
  readConfig() {
    const reason = 'a browser has no polycast.config file: import an adapter and give connect a transport';
    return Promise.reject(new PolycastError('invalid-configuration', reason));
  },
};
