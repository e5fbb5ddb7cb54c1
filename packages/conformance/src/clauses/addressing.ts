import { chapter } from '../clause.ts';

export const addressing = chapter('addressing', 'Which participants receive an event.', [
  ['MUST', 'An event for everyone reaches every participant that listens on the topic, except its publisher.'],
  ['MUST', 'An event for a role reaches every listening instance of that role.'],
  ['MUST', 'An event for a role reaches no other participant.'],
  ['MUST', 'An event for one instance reaches that instance.'],
  ['MUST', 'An event for one instance reaches no other participant.'],
  ['MUST', 'An event for several addresses reaches each recipient once, however many of the addresses match it.'],
  ['MUST', 'Events never cross topics, however similar the topic names are.'],
  ['MUST', 'Names are compared in full and case-sensitively: no name is an alias, a prefix or a pattern of another.'],
  ['MUST', 'An invalid address is rejected with `invalid-address`, and nothing is sent.'],
  ['MUST', 'An event for an address without recipients is accepted without an error and affects no other participant.'],
  ['MUST', 'A publisher receives its own event only if it asks for a carbon copy and one of the addresses matches it.'],
  ['MUST', 'An invalid topic name is rejected with `invalid-topic`; names of the maximum length work.'],
  ['MUST', 'A participant that sets no instance name gets a unique one.'],
]);
