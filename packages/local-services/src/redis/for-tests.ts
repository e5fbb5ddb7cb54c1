import type { LocalService } from '../service.ts';
import { startRedis } from './server.ts';

/** The server that `POLYCAST_REDIS_URL` names, which `stop` leaves running; else one that is started for you. */
export async function redisForTests(): Promise<LocalService> {
  const url = process.env.POLYCAST_REDIS_URL;
  if (!url) return startRedis();
  return { url, stop: async () => {}, [Symbol.asyncDispose]: async () => {} };
}
