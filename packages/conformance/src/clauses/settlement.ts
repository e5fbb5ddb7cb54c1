import { chapter } from '../clause.ts';

export const settlement = chapter('settlement', 'What becomes of a delivery.', [
  ['MUST', 'Returning from the handler accepts: the event is not delivered to that subscription again.'],
  ['MUST', 'Throwing, at once or later, has the event delivered again.'],
  ['MUST', '`attempt` is 1 at first and grows by one with each delivery of the event to the subscription.'],
  [
    'MUST',
    'After `maxAttempts` attempts an event is dead-lettered, signalled with its reason and count, and not delivered again.',
  ],
  ['MUST', '`reject` dead-letters at once, with the reason given.'],
  ['MUST', '`release` has the event delivered again.'],
  ['MUST', '`release({ delayMs })` has it delivered again, and not before that time.'],
  ['MUST', 'The first word counts: what is said or thrown after the first settlement changes nothing.'],
  ['MUST', 'What becomes of one event does not touch others: none is lost or repeated because a neighbour failed.'],
  ['MUST', '`deadLetter: "drop"` signals and keeps nothing; otherwise the signal says where the event is kept.'],
  ['MUST', 'A dead-lettered event that is kept on a topic can be read there, whole, by whoever subscribes to it.'],
  ['MUST', 'Each subscription settles for itself: what one fails, another has accepted.'],
  [
    'MUST',
    'While a handler runs, its event is not delivered to another consumer, however short the lock is: it is renewed.',
  ],
  ['MUST', 'A handler that runs longer than `stalledAfterMs` is signalled as `stalled`.'],
  ['MUST', 'The signal of a delivery is not aborted while the handler may work on it.'],
  ['MUST', 'Something thrown that is no `Error` counts as a failure like any other.'],
  ['MUST', '`release` with a delay returns how long the delivery rests, which is never less.'],
  [
    'MUST',
    'While a handler runs, an event that comes again, since its lock was lost, is given to no other handler of the subscription, and to none at all if that one has accepted it. A lock that is lost without the event being back is signalled.',
  ],
]);
