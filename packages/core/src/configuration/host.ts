import type { ConfigSource } from './config.ts';

/** What resolving a transport needs of the place where it runs. One file for Node, one for browsers. */
export interface ConfigurationHost {
  /** Environment variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /**
   * The module of a package, from the user's project or beside core; undefined when it is not installed.
   * @throws PolycastError `invalid-configuration` when it is there and cannot be loaded.
   */
  loadPackage(name: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** What to type to install it. */
  installCommand(name: string): string;
  /** The nearest `polycast.config.*` upwards from the working directory. @throws PolycastError `invalid-configuration` */
  readConfig(): Promise<ConfigSource | undefined>;
}
