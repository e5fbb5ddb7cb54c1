import type { ConformanceTarget } from './target.ts';

export interface HarnessOptions {
  /** The transport, as `connect` takes it. */
  readonly url: URL;
  /**
   * Start a service for this run alone, which may be restarted, killed and frozen: of the URL only scheme and parameters count.
   * Otherwise the URL's service is somebody else's: it is used, within topics of the run's own, and never disturbed.
   * @default false
   */
  readonly local?: boolean;
}

/**
 * What an adapter package exports as `harness` from its sub-path `/conformance`: everything the suite needs to put the adapter to
 * the test. `polycast conform` and `polycast compare` find it by the URL's scheme.
 * @throws PolycastError (a rejection) when the service cannot be reached or started, or the URL cannot be used so
 */
export type Harness = (options: HarnessOptions) => Promise<ConformanceTarget>;
