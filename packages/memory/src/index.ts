export { SCHEMES as schemes } from '@polycast/catalogue';
export { fromUrl, memory } from './adapter.ts';
export { BACK_PRESSURE_MAX_MS, DEFAULT_HUB, type MemoryOptions } from './options.ts';
