import { chapter } from '../clause.ts';

export const durable = chapter('durable', 'Subscriptions that outlive the process, and starting in the past.', [
  [
    'MUST',
    'A durable subscription resumes where it was: what was published meanwhile arrives, in order, and nothing accepted comes again.',
  ],
  [
    'MUST',
    'Durable subscriptions with different names, or of different instances, have nothing to do with one another.',
  ],
  ['MUST', 'What was not accepted when a durable subscription closed is delivered when it resumes.'],
  ['MUST', 'A durable group is resumed by any member of it.'],
  ['MUST', 'What expired meanwhile is not delivered.'],
  ['MUST', 'A subscription from `earliest` gets what is kept, from the oldest on, and what comes then.'],
  ['MUST', 'A subscription `{ after }` a position gets exactly what followed it.'],
  ['MUST', 'A subscription from `{ timeMs }` gets what was taken at or after that time.'],
  ['MUST', 'A subscription that is not durable does not get what was published while nobody of it listened.'],
  ['MUST', 'What is for one instance is kept by its durable subscriptions without a group, and by no durable group.'],
]);
