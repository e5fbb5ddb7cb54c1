import { chapter } from '../clause.ts';

export const request = chapter('request', 'Requests and replies.', [
  ['MUST', 'A reply reaches the requester, with its data and the participant that replied.'],
  ['MUST', 'All replies that arrive in time are collected.'],
  ['MUST', '`maxReplies` ends the collection as soon as enough replies have arrived.'],
  ['MUST', 'Without any reply, the collection ends in time and is empty.'],
  ['MUST', 'Only the addressed participants receive a request.'],
  ['MUST', 'Replies to different requests are never mixed up.'],
  ['MUST', 'Replies can be read one by one as they arrive.'],
  ['MUST', 'Only a request can be replied to; for any other event, `reply` rejects with `invalid-event`.'],
  ['MUST', 'Aborting the signal of a request ends it with `aborted`.'],
  ['MUST', 'Requests and replies are not visible to unrelated subscriptions.'],
  ['MUST', 'Closing the broadcaster ends its requests.'],
]);
