import { describeConformance } from '../src/vitest.ts';
import { logTarget } from './log-transport.ts';

/** Cases that memory cannot run (durability, replay, faults, foreign bytes) are proved on a broker that has them all. */
describeConformance('log', logTarget, {
  mayFail: {
    'groups/share': 'whoever asks the log first takes a hundred at once: a SHOULD that a greedy reader does not keep',
    'ttl/no-gap':
      'the log withholds what expired, and the numbers of its events with it: a SHOULD that native expiry does not keep',
  },
});
