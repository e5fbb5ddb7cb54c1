import { chapter } from '../clause.ts';

export const order = chapter('order', 'The order of events.', [
  ['MUST', 'Events from one publisher to one address arrive in the order published, awaited or not.'],
  ['MUST', 'Each publisher’s order is kept while others publish as well.'],
  ['MUST', 'The size of events does not change their order.'],
  ['MUST', 'Events with the same partition key are handled one at a time, in order, at any concurrency.'],
  ['SHOULD', 'Events with different partition keys are handled concurrently if `concurrency` allows it.'],
  ['MUST', 'Within a group, too, events with the same partition key are handled one at a time, in order.'],
  ['MUST', 'A partition key arrives as the attribute `partitionkey`; one that is too long is rejected.'],
  ['MUST', 'A subscription that is read slowly gets its events in order.'],
]);
