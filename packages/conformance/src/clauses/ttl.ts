import { chapter } from '../clause.ts';

export const ttl = chapter('ttl', 'How long an event is worth delivering.', [
  ['MUST', 'An event is delivered while it has not expired.'],
  ['MUST', 'An expired event is never handed to a handler, wherever it waited.'],
  ['MUST', 'A receiver sees when the event expires: the time of publishing plus `ttlMs`.'],
  ['MUST', 'The default is ten minutes; `connect` sets another for every publish, and a publish for itself.'],
  ['MUST', 'With a `ttlMs` of Infinity an event never expires.'],
  ['MUST', 'An event that expired is not tried again.'],
  ['SHOULD', 'An event that expired is not taken for a lost one, unless the service withheld it and nobody can tell.'],
  ['MUST', 'Where expiry is native the service itself withholds expired events, to within the granularity it states.'],
  [
    'MUST',
    'Clocks of publishers may be wrong: the time to live is measured from when the service took the event, as far as it says when.',
  ],
  ['MUST', 'What has expired when it comes is counted in `dropped.expired` and signalled once per publisher.'],
]);
