import type { Transport } from '../contract/transport.ts';
import type { Adapters } from './adapters.ts';
import type { ConfigSource } from './config.ts';
import type { SchemeRules } from './transport-url.ts';

/** What the caller brings to find the adapter of a URL with. */
export interface Brought {
  readonly adapters?: Adapters | undefined;
  readonly schemes?: SchemeRules | undefined;
}

/** What resolving a transport needs of the place where it runs. One file for Node, one for browsers. */
export interface ConfigurationHost {
  /** The value of `POLYCAST_URL`. */
  environmentUrl(): string | undefined;
  /** The nearest `polycast.config.*` upwards from the working directory. @throws PolycastError `invalid-configuration` */
  readConfig(): Promise<ConfigSource | undefined>;
  /** @throws PolycastError `invalid-configuration` `unknown-transport` `transport-not-installed` */
  transportFromUrl(url: string | URL, brought: Brought): Promise<Transport>;
  /** The entry of that name, else the default one. @throws like {@link ConfigurationHost.transportFromUrl} */
  transportFromConfig(name: string | undefined, brought: Brought): Promise<Transport>;
}
