import { describeConformance } from '@polycast/conformance/vitest';
import { harness } from '@polycast/memory/conformance';

describeConformance('memory', () => harness({ url: new URL('memory:'), local: true }));
describeConformance('memory across threads', () => harness({ url: new URL('memory:?threads=true'), local: true }));
