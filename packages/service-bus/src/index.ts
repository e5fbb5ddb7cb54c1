export { SCHEMES as schemes } from '@polycast/catalogue';
export { serviceBus } from './adapter.ts';
export { fromUrl } from './from-url.ts';
export {
  DEFAULT_CLOSE_TIMEOUT_MS,
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_DUPLICATE_DETECTION_MS,
  DEFAULT_KEEP_ALIVE_MS,
  DEFAULT_MAX_MESSAGE_BYTES,
  DEFAULT_OPERATION_TIMEOUT_MS,
  DEFAULT_PREFETCH,
  DEFAULT_STALLED_AFTER_MS,
  type ServiceBusOptions,
} from './options.ts';
