export { SCHEMES as schemes } from '@polycast/catalogue';
export { memory } from './adapter.ts';
export { fromUrl } from './from-url.ts';
export { BACK_PRESSURE_MAX_MS, DEFAULT_HUB, type MemoryOptions } from './options.ts';
