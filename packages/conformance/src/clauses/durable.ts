import { chapter } from '../clause.ts';

export const durable = chapter(
  'durable',
  'Subscriptions that outlive the process, and subscriptions that start in the past.',
  [
    [
      'MUST',
      'A durable subscription resumes where it stopped: events published meanwhile arrive in order, and no accepted event arrives again.',
    ],
    ['MUST', 'Durable subscriptions with different names, or of different instances, are independent.'],
    ['MUST', 'Events that were not accepted when a durable subscription closed are delivered when it resumes.'],
    ['MUST', 'Any member of a durable group can resume it.'],
    ['MUST', 'Events that expired meanwhile are not delivered.'],
    ['MUST', 'A subscription from `earliest` gets all retained events, oldest first, and then new ones.'],
    ['MUST', 'A subscription `{ after }` a position gets exactly the events that followed it.'],
    ['MUST', 'A subscription from `{ timeMs }` gets the events that were accepted at or after that time.'],
    ['MUST', 'A subscription that is not durable does not get events that were published while it was not open.'],
    [
      'MUST',
      'Events for one instance are stored for its durable subscriptions without a group, and never for a durable group.',
    ],
  ],
);
