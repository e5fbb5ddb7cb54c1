import { chapter } from '../clause.ts';

export const dedupe = chapter('dedupe', 'Duplicates are delivered once.', [
  ['MUST', 'An event published twice with the same id and source is delivered once to each subscription.'],
  [
    'MUST',
    'Events with the same id from different sources, or different ids from the same source, are different events.',
  ],
  ['MUST', 'Duplicates are detected even if different participants publish them.'],
  ['MUST', 'An event that is redelivered after a failure is not a duplicate.'],
  ['MUST', 'An event that the service delivers again after it was accepted reaches the handler once.'],
  ['MUST', 'An event that was dead-lettered can be published again unchanged and is delivered.'],
  ['MUST', 'Dropped duplicates are counted in `dropped.duplicates`.'],
]);
