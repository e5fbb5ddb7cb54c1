export { SCHEMES as schemes } from '@polycast/catalogue';
export { fromUrl } from './from-url.ts';
export {
  DEFAULT_CLAIM_INTERVAL_MS,
  DEFAULT_COMMAND_TIMEOUT_MS,
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_HOST,
  DEFAULT_MAX_AGE_MS,
  DEFAULT_MAX_EVENT_BYTES,
  DEFAULT_MAX_LENGTH,
  DEFAULT_PING_INTERVAL_MS,
  DEFAULT_PORT,
  DEFAULT_PREFIX,
  type HostAndPort,
  type RedisStreamsOptions,
  type RedisTransportOptions,
} from './options.ts';
export { redis } from './pub-sub.ts';
export { redisStreams } from './streams.ts';
