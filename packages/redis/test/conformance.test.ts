import { describeConformance } from '@polycast/conformance/vitest';
import { harness } from '@polycast/redis/conformance';

describeConformance('Redis pub/sub', () => harness({ url: new URL('redis:'), local: true }));
describeConformance('Redis Streams', () => harness({ url: new URL('redis+streams:'), local: true }));
