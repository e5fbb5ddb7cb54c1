import { chapter } from '../clause.ts';

export const ttl = chapter('ttl', 'Time to live and expiry.', [
  ['MUST', 'An event that has not expired is delivered.'],
  ['MUST', 'An expired event is never passed to a handler, wherever it waited.'],
  ['MUST', 'The receiver can see when the event expires: the time of publishing plus `ttlMs`.'],
  [
    'MUST',
    'The default is ten minutes; `connect` can set another default for all publishes, and each publish its own value.',
  ],
  ['MUST', 'With a `ttlMs` of Infinity, an event never expires.'],
  ['MUST', 'An event that expired is not retried.'],
  [
    'SHOULD',
    'An expired event is not reported as lost, unless the service withheld it and the receiver cannot distinguish the two.',
  ],
  [
    'MUST',
    'Where expiry is native, the service itself withholds expired events, with the granularity that the manifest states.',
  ],
  [
    'MUST',
    'Publishers’ clocks may be wrong: the time to live is measured from when the service accepted the event, if the service reports that time.',
  ],
  ['MUST', 'Events that have expired on arrival are counted in `dropped.expired` and signalled once per publisher.'],
]);
