import type { ServiceOptions } from './options.ts';

/** A local service that the command line can run. */
export interface EmulatedService {
  readonly summary: string;
  /** Options of `ServiceOptions` that mean something to it; the others are refused. */
  readonly options: readonly (keyof ServiceOptions)[];
  /** @throws PolycastError `invalid-configuration`, such as for a port that is taken */
  start(options: ServiceOptions): Promise<Emulation>;
}

/** A service that runs. */
export interface Emulation {
  /** What it is, and where it listens. */
  readonly title: string;
  /** What its clients need, for people: a label and a line to copy. */
  readonly facts: readonly (readonly [label: string, line: string])[];
  /** The same for programs. */
  readonly details: Readonly<Record<string, string | number>>;
  /** By the name that is shown. */
  counts(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}
