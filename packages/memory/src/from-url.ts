import { type OptionTable, option, percentDecoded, readUrlOptions, type Transport } from '@polycast/core/adapter';
import { memory } from './adapter.ts';
import { DEFAULT_HUB, type MemoryOptions } from './options.ts';

/** What each option may be. */
export const MEMORY_OPTIONS = {
  hub: option.string({ default: DEFAULT_HUB }),
  threads: option.boolean({ default: false, inUrl: true }),
  copy: option.boolean({ default: false, inUrl: true }),
} satisfies OptionTable<MemoryOptions>;

/** `memory:`, `memory:<hub>`, with `?threads=true` and `?copy=true`. @throws PolycastError `invalid-configuration` */
export function fromUrl(url: URL): Transport {
  return memory({ ...readUrlOptions(url, MEMORY_OPTIONS), hub: hubOf(url) });
}

/** Name of the hub of a `memory:` URL. @throws PolycastError `invalid-configuration` */
export function hubOf(url: URL): string {
  return percentDecoded(`${url.host}${url.pathname}`.replace(/^\/+|\/+$/g, ''), 'hub') || DEFAULT_HUB;
}
