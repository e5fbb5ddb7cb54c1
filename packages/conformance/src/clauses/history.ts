import { chapter } from '../clause.ts';

export const history = chapter('history', 'Generated sequences of calls, checked against a model.', [
  [
    'MUST',
    'After any sequence of join, leave, subscribe, unsubscribe, pause, resume and publish, each delivery is one that the model expects.',
  ],
  ['MUST', 'The same holds with competing consumers.'],
  ['MUST', 'The same holds with expiring events and a moving clock.'],
  ['MUST', 'The same holds with faults, as far as the delivery guarantee goes.'],
]);
