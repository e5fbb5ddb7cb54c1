/** What one transport offers, taken from its manifest. */
export interface CatalogueEntry {
  /** URL scheme. */
  readonly transport: string;
  /** The level of each capability, by its first letter (`n`ative, `e`mulated, `-` none), in the order of `CAPABILITIES`: short, since every browser downloads it. */
  readonly levels: string;
}

// Written by scripts/catalogue.mjs from the manifests of all adapters: run it after changing one.
export const CATALOGUE: readonly CatalogueEntry[] = [
  { transport: 'memory', levels: 'nnnenee-eee--enne-ne-n-nn' },
  { transport: 'redis', levels: 'nnne-ee-ee---eneeeeeeen-n' },
  { transport: 'redis+streams', levels: 'nnnennnneennneneeeeeeennn' },
  { transport: 'service-bus', levels: 'nnnnnnnnennn-nnneeeeennnn' },
];
