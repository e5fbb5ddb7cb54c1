import { type LocalService, redisForTests } from '@polycast/local-services';
import { startServiceBus } from '@polycast/local-services/service-bus';

/** A transport that the example is tried on. A new one is one more row. */
export interface Row {
  readonly name: string;
  /** The server it needs, for itself. Absent: nothing but the process. */
  readonly start?: () => Promise<LocalService>;
  /** The URL to hand to the example, of the server's. */
  readonly url: (server: string) => string;
  /** What becomes of a search whose instance is killed: another instance takes it, or its part is missing at the deadline. */
  readonly afterKill: 'another instance' | 'missing';
  /** Long enough for another instance to take over: the shortest lock of the service, and the time for the work. */
  readonly deadlineMs: number;
}

export const TRANSPORTS: readonly Row[] = [
  { name: 'memory', url: () => 'memory:', afterKill: 'missing', deadlineMs: 2_000 },
  {
    name: 'redis',
    start: redisForTests,
    url: (server) => server,
    afterKill: 'missing',
    // Roll calls take up to half a second in each tier.
    deadlineMs: 4_000,
  },
  {
    name: 'redis+streams',
    start: redisForTests,
    url: (server) => server.replace('redis', 'redis+streams'),
    afterKill: 'another instance',
    deadlineMs: 10_000,
  },
  {
    name: 'service-bus',
    start: startServiceBus,
    url: (server) => server,
    afterKill: 'another instance',
    // The shortest lock is 5 s.
    deadlineMs: 20_000,
  },
];
