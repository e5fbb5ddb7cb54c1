import { chapter } from '../clause.ts';

export const order = chapter('order', 'What comes first.', [
  ['MUST', 'Events of one publisher to one address arrive in the order published, awaited or not.'],
  ['MUST', 'Each publisher’s order is kept while others publish as well.'],
  ['MUST', 'Size does not change the order.'],
  ['MUST', 'Events with one partition key are handled one after another, in order, at any concurrency.'],
  ['SHOULD', 'Events with different partition keys are handled at once where concurrency allows.'],
  ['MUST', 'Within a group too, events with one partition key are handled one after another, in order.'],
  ['MUST', 'A partition key arrives as the attribute `partitionkey`; one that is too long is refused.'],
  ['MUST', 'A subscription that is read slowly gets its events in order.'],
]);
