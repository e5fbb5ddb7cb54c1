import type { CapabilityName } from './manifest.ts';

/** What one transport offers, taken from its manifest. */
export interface CatalogueEntry {
  /** URL scheme. */
  readonly transport: string;
  readonly native: readonly CapabilityName[];
  readonly emulated: readonly CapabilityName[];
}

// Written by scripts/catalogue.mjs from the manifests of all adapters: run it after changing one.
export const CATALOGUE: readonly CatalogueEntry[] = [
  { transport: 'memory', native: [], emulated: [] },
  { transport: 'redis', native: [], emulated: [] },
  { transport: 'redis+streams', native: [], emulated: [] },
];
