import { chapter } from '../clause.ts';

export const native = chapter('native', 'Below core: what an adapter may call native is done by the service itself.', [
  ['MUST', 'Native addressing: a source is handed only events for the addresses it asked for.'],
  ['MUST', 'Native groups: sources of one group on different links get each event once between them.'],
  ['MUST', 'Native redelivery: a released lease comes back with its attempt number one higher.'],
  [
    'MUST',
    'Native crash redelivery: a lease that is neither settled nor renewed comes to another consumer once its lock has run out.',
  ],
  ['MUST', 'Native lock: a renewed lease comes to nobody else.'],
  ['MUST', 'Native delayed release: a lease released with a delay comes back, and not before it.'],
  ['MUST', 'Native dead-letter: a dead-lettered lease comes to nobody again.'],
  ['MUST', 'Native settlement: an accepted lease comes to nobody again; a link that listens again does not see it.'],
  ['MUST', 'Native filter: a source is handed nothing that the pushed filter excludes, and all that it accepts.'],
  ['MUST', 'Native dedupe: the service stores an event with the same id and source once.'],
  ['MUST', 'Native order: a batch and the batches after it arrive in order.'],
  ['MUST', 'Native members: the service lists who is there.'],
]);
