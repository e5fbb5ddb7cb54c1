export { findChromium } from './chromium.ts';
export { freePort } from './process/free-port.ts';
export { findRedisServer } from './redis/find.ts';
export { redisForTests } from './redis/for-tests.ts';
export { type RedisServer, type RedisServerOptions, START_TIMEOUT_MS, startRedis } from './redis/server.ts';
export type { BreakableService, LocalService } from './service.ts';
