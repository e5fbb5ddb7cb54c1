import { Redis } from 'ioredis';
import { ioredisDriver } from '../../wire/ioredis-driver.ts';

export const driver = ioredisDriver((url) => new Redis(url, { enableAutoPipelining: true }));
