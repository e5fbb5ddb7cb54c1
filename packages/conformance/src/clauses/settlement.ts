import { chapter } from '../clause.ts';

export const settlement = chapter('settlement', 'Accepting, retrying and dead-lettering deliveries.', [
  ['MUST', 'Returning from the handler accepts: the event is not delivered to that subscription again.'],
  ['MUST', 'Throwing, synchronously or asynchronously, causes redelivery.'],
  ['MUST', '`attempt` starts at 1 and grows by one with each delivery of the event to the subscription.'],
  [
    'MUST',
    'After `maxAttempts` attempts an event is dead-lettered, signalled with its reason and attempt count, and not delivered again.',
  ],
  ['MUST', '`reject` dead-letters at once, with the given reason.'],
  ['MUST', '`release` causes redelivery.'],
  ['MUST', '`release({ delayMs })` causes redelivery, and not before that time has passed.'],
  ['MUST', 'The first settlement wins: later calls and errors change nothing.'],
  ['MUST', 'The outcome of one event does not affect others: none is lost or repeated because another one failed.'],
  ['MUST', '`deadLetter: "drop"` signals and stores nothing; otherwise the signal states where the event is stored.'],
  ['MUST', 'A dead-lettered event that is stored on a topic can be read there, complete, by any subscriber.'],
  ['MUST', 'Each subscription settles independently: one may accept an event that another one fails.'],
  [
    'MUST',
    'While a handler runs, its lock is renewed: the event is not delivered to another consumer, however short the lock is.',
  ],
  ['MUST', 'A handler that runs longer than `stalledAfterMs` is signalled as `stalled`.'],
  ['MUST', 'The signal of a delivery is not aborted while the handler may work on it.'],
  ['MUST', 'A thrown value that is not an `Error` counts as a failure like any other.'],
  ['MUST', '`release` with a delay returns the actual delay, which is never shorter than requested.'],
  [
    'MUST',
    'If the lock is lost while a handler runs, the redelivered event goes to no other handler of the subscription meanwhile, and to none at all if the first one accepts it. A lost lock is signalled if the event does not come back.',
  ],
]);
