import { chapter } from '../clause.ts';

export const request = chapter('request', 'Scatter and gather.', [
  ['MUST', 'A reply reaches the one who asked, with its data and with who answered.'],
  ['MUST', 'Replies of all who answer in time are gathered.'],
  ['MUST', '`maxReplies` ends the gathering as soon as there are enough.'],
  ['MUST', 'If nobody answers, the gathering ends in time with nothing.'],
  ['MUST', 'Only those addressed are asked.'],
  ['MUST', 'Replies to different requests are never mixed up.'],
  ['MUST', 'Replies can be read one by one as they come.'],
  ['MUST', 'Only a request can be replied to: elsewhere `reply` rejects with `invalid-event`.'],
  ['MUST', 'Aborting the signal of a request ends it with `aborted`.'],
  ['MUST', 'Requests and replies are not seen by subscriptions that they do not concern.'],
  ['MUST', 'Closing the broadcaster ends its requests.'],
]);
