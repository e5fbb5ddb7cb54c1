import { chapter } from '../clause.ts';

export const faults = chapter('faults', 'When things break.', [
  ['MUST', 'After a lost connection subscriptions receive again, by themselves.'],
  ['MUST', 'A lost connection is signalled as `disconnected`, its return as `reconnected`.'],
  [
    'MUST',
    'While the service cannot be reached a publish waits or rejects with a retryable code; it never resolves for nothing.',
  ],
  ['MUST', 'At least once: what a resolved publish took is delivered, through lost connections.'],
  ['MUST', 'At most once: what was lost is covered by a signal that something may have been, and nothing comes twice.'],
  ['MUST', 'At least once: ten thousand events published through a restart of the service all arrive.'],
  ['MUST', 'A service that answers nothing hangs nothing for ever: what waits ends when it answers again, or rejects.'],
  ['SHOULD', 'A service that answers nothing is signalled as `stalled` or as `disconnected`.'],
  ['MUST', 'Closing resolves while the service is gone or answers nothing.'],
  ['MUST', 'Connecting to a service that is gone rejects with a coded error in time, or waits until it is back.'],
  ['MUST', 'What a crashed consumer held is delivered to another one.'],
  ['MUST', 'Something on the wire that is no event is signalled as `corrupt`, is not delivered, and stops nothing.'],
  ['MUST', 'A CloudEvent from software that has never heard of Polycast is delivered to everyone.'],
  ['MUST', 'What comes off the wire cannot reach the prototypes of the receiver’s objects.'],
  ['MUST', 'Order per publisher is kept through a lost connection for what is delivered.'],
  ['MUST', 'The service coming and going many times leaves each subscription receiving each event once.'],
]);
