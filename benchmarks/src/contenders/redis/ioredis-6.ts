import { Redis } from 'ioredis-6';
import { ioredisDriver, type RedisClient } from '../../wire/ioredis-driver.ts';

export const driver = ioredisDriver((url) => new Redis(url) as unknown as RedisClient);
