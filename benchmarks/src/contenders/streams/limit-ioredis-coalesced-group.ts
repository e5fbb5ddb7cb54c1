import { ioredisStreamDriver } from '../../wire/ioredis-stream-driver.ts';

export const driver = ioredisStreamDriver('group', true);
