import { describeConformance } from '@polycast/conformance/vitest';
import { harness } from '../src/conformance.ts';

describeConformance('an adapter with a wire', () => harness({ url: new URL('line-log:'), local: true }));
