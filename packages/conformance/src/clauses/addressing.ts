import { chapter } from '../clause.ts';

export const addressing = chapter('addressing', 'Who an event is for, and who gets it.', [
  ['MUST', 'An event for everyone reaches every participant that listens on the topic, but not its publisher.'],
  ['MUST', 'An event for a role reaches every listening instance of that role.'],
  ['MUST', 'An event for a role reaches nobody else.'],
  ['MUST', 'An event for one instance reaches that instance.'],
  ['MUST', 'An event for one instance reaches nobody else.'],
  ['MUST', 'An event for several addresses reaches each recipient once, however many of the addresses it answers to.'],
  ['MUST', 'Events never cross topics, however alike the names of the topics are.'],
  ['MUST', 'Names are compared whole and in their case: no name stands for another, contains another or is a pattern.'],
  ['MUST', 'What is no address is refused with `invalid-address`, and nothing is sent.'],
  ['MUST', 'An event for an address to which nobody answers is taken without an error and disturbs nobody.'],
  [
    'MUST',
    'A publisher receives its own event if it asks for a carbon copy and answers to one of the addresses; else it does not.',
  ],
  ['MUST', 'What is no topic name is refused with `invalid-topic`; names of the greatest length work.'],
  ['MUST', 'A participant that does not name its instance gets a name that nobody else has.'],
]);
