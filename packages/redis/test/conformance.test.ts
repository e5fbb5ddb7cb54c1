import { describeConformance } from '@polycast/conformance/vitest';
import { harness } from '@polycast/redis/conformance';

// Redis never says for how long it wants to be left alone.
const options = { mayLack: ['throttle'] } as const;
describeConformance('Redis pub/sub', () => harness({ url: new URL('redis:'), local: true }), options);
describeConformance('Redis Streams', () => harness({ url: new URL('redis+streams:'), local: true }), options);
