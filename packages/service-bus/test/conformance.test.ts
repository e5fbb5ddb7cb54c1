import { describeConformance } from '@polycast/conformance/vitest';
import { harness } from '@polycast/service-bus/conformance';
import { test } from 'vitest';
import { isPublic } from './service.ts';

// The least lock that Service Bus gives is 5 s: what a crashed consumer held comes after that. On the SDK's public face, links that come back
// together after a lost connection may wait a minute for their authorisation.
describeConformance('Service Bus', () => harness({ url: new URL('service-bus:'), local: true }), {
  patienceMs: isPublic ? 90_000 : 10_000,
  ...(isPublic ? { caseTimeoutMs: 240_000 } : {}),
  timeoutMs: isPublic ? 900_000 : 300_000,
  // What is not read yet is kept until it expires: a gap is a subscription that somebody removed.
  mayLack: ['trim'],
});

/** `service-bus:` and the connection string of a namespace that tests may create topics in, and remove them again. */
const given = process.env.POLYCAST_SERVICE_BUS;
if (given === undefined) test.skip('a namespace in Azure: not run, POLYCAST_SERVICE_BUS is not set', () => {});
else {
  describeConformance('Service Bus in Azure', () => harness({ url: new URL(given) }), {
    concurrency: 4,
    patienceMs: 30_000,
    caseTimeoutMs: 120_000,
    timeoutMs: 3_600_000,
    mayLack: ['restart', 'kill', 'freeze', 'cut', 'abandon', 'trim'],
  });
}
