import { chapter } from '../clause.ts';

export const dedupe = chapter('dedupe', 'Once is enough.', [
  ['MUST', 'An event published twice with the same id and source is delivered once to each subscription.'],
  [
    'MUST',
    'Events with the same id from different sources, or different ids from the same source, are different events.',
  ],
  ['MUST', 'Duplicates are known whoever publishes them.'],
  ['MUST', 'An event delivered again because it failed is no duplicate.'],
  ['MUST', 'What the service delivers twice although it was accepted reaches the handler once.'],
  ['MUST', 'An event that was dead-lettered may be published again, unchanged: that is news.'],
  ['MUST', 'Duplicates that are dropped are counted in `dropped.duplicates`.'],
]);
