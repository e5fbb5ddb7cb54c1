export { fromUrl, type LineLogOptions, lineLog } from './adapter.ts';
