import { chapter } from '../clause.ts';

export const faults = chapter('faults', 'Behaviour when connections, services or processes fail.', [
  ['MUST', 'After a lost connection, subscriptions resume receiving without any action by the caller.'],
  ['MUST', 'A lost connection is signalled as `disconnected`, its recovery as `reconnected`.'],
  [
    'MUST',
    'While the service is unreachable, a publish waits or rejects with a retryable code; it never resolves without having been accepted.',
  ],
  ['MUST', 'At least once: every event whose publish resolved is delivered, even if connections are lost.'],
  ['MUST', 'At most once: every possible loss is covered by a signal, and nothing is delivered twice.'],
  ['MUST', 'At least once: ten thousand events published while the service restarts all arrive.'],
  [
    'MUST',
    'If the service stops responding, no call hangs for ever: pending calls complete when it responds again, or reject.',
  ],
  ['SHOULD', 'A service that stops responding is signalled as `stalled` or as `disconnected`.'],
  ['MUST', 'Closing resolves even if the service is gone or not responding.'],
  [
    'MUST',
    'Connecting to a service that is gone rejects with a coded error within its time limit, or waits until the service is back.',
  ],
  ['MUST', 'Events that a crashed consumer held are delivered to another consumer.'],
  [
    'MUST',
    'A received message that is not a valid event is signalled as `corrupt`, is not delivered, and stops nothing else.',
  ],
  ['MUST', 'A CloudEvent from software that does not use Polycast is delivered to everyone.'],
  ['MUST', 'Received data cannot modify the prototypes of the receiver’s objects.'],
  ['MUST', 'Delivered events keep the order of their publisher across a lost connection.'],
  ['MUST', 'After the service has gone and come back many times, each subscription still receives each event once.'],
]);
