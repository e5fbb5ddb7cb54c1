import { chapter } from '../clause.ts';

export const signals = chapter('signals', 'What no promise can tell.', [
  ['MUST', 'A subscription that missed an event to an address of its own says so with a `gap`.'],
  ['MUST', 'Where nothing was lost, no gap is signalled.'],
  ['MUST', 'Who comes later misses nothing: no gap for what was published before.'],
  ['MUST', 'A publisher that starts again with the same instance id causes no gap.'],
  ['MUST', 'What a full buffer drops is signalled as `gap` with the reason `overflow`, or is delivered later.'],
  [
    'MUST',
    'A second broadcaster with the same instance id on the same topic in one process is refused with `duplicate-instance`.',
  ],
  ['MUST', 'The instance id is free again after close, and free on other topics all the time.'],
  ['MUST', 'A listener that throws disturbs nothing; a removed one hears nothing.'],
  ['MUST', 'Signals of a subscription reach its own listener and the broadcaster’s.'],
  [
    'MUST',
    'What the source of one subscription signals, such as a gap, reaches no listener of a subscription with another source.',
  ],
]);
