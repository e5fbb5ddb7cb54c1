import { describeConformance } from '@polycast/conformance/vitest';
import { harness } from '@polycast/service-bus/conformance';

// The least lock that Service Bus gives is 5 s: what a crashed consumer held comes after that.
describeConformance('Service Bus', () => harness({ url: new URL('service-bus:'), local: true }), {
  patienceMs: 10_000,
  timeoutMs: 300_000,
});
