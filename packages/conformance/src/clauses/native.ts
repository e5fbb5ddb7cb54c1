import { chapter } from '../clause.ts';

export const native = chapter(
  'native',
  'Below core: capabilities that an adapter declares native are provided by the service itself.',
  [
    ['MUST', 'Native addressing: a source receives only events for the addresses it asked for.'],
    [
      'MUST',
      'Native groups: sources of one group on different links share the events, and each event goes to one of them.',
    ],
    ['MUST', 'Native redelivery: a released lease comes back with its attempt number increased by one.'],
    [
      'MUST',
      'Native crash redelivery: a lease that is neither settled nor renewed goes to another consumer once its lock has expired.',
    ],
    ['MUST', 'Native lock: a renewed lease goes to no other consumer.'],
    ['MUST', 'Native delayed release: a lease released with a delay comes back, and not before the delay has passed.'],
    ['MUST', 'Native dead-letter: a dead-lettered lease is not delivered again.'],
    ['MUST', 'Native settlement: an accepted lease is not delivered again, also not to a link that listens again.'],
    ['MUST', 'Native filter: a source receives exactly the events that the pushed filter accepts.'],
    ['MUST', 'Native dedupe: the service stores an event with the same id and source once.'],
    ['MUST', 'Native order: the events of a batch, and successive batches, arrive in order.'],
    ['MUST', 'Native members: the service lists the members.'],
  ],
);
