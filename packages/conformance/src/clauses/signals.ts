import { chapter } from '../clause.ts';

export const signals = chapter('signals', 'Events that no promise can report.', [
  ['MUST', 'A subscription that missed an event to one of its own addresses signals a `gap`.'],
  ['MUST', 'If nothing was lost, no gap is signalled.'],
  ['MUST', 'A late subscriber misses nothing: there is no gap for events published before it subscribed.'],
  ['MUST', 'A publisher that restarts with the same instance id causes no gap.'],
  [
    'MUST',
    'Events that do not fit a full buffer are signalled as `gap` with the reason `overflow`, or are delivered later.',
  ],
  [
    'MUST',
    'A second broadcaster with the same instance id on the same topic in one process is rejected with `duplicate-instance`.',
  ],
  ['MUST', 'The instance id is free again after close, and always free on other topics.'],
  ['MUST', 'A listener that throws has no effect on others; a removed listener is not called.'],
  ['MUST', 'Signals of a subscription reach its own listener and the broadcaster’s.'],
  [
    'MUST',
    'A signal from the source of one subscription, such as a gap, reaches no listener of a subscription with another source.',
  ],
]);
