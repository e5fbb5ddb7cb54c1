import { chapter } from '../clause.ts';

export const history = chapter('history', 'Any sequence of calls, judged against a model.', [
  [
    'MUST',
    'After any sequence of join, leave, subscribe, unsubscribe, pause, resume and publish, each delivery is one that the model expects.',
  ],
  ['MUST', 'The same holds with competing consumers in it.'],
  ['MUST', 'The same holds with expiring events and a moving clock in it.'],
  ['MUST', 'The same holds with faults in it, as far as the guarantee goes.'],
]);
