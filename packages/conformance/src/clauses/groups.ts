import { chapter } from '../clause.ts';

export const groups = chapter('groups', 'Competing consumers.', [
  ['MUST', 'Each event goes to exactly one member of a group.'],
  ['MUST', 'Every group gets every event, and so does every subscription without a group.'],
  ['MUST', 'Members may be subscriptions of one broadcaster or of many.'],
  ['SHOULD', 'Work is shared: with many events every idle member gets some.'],
  ['MUST', 'When a member leaves, the others get everything from then on.'],
  ['MUST', 'A member that joins competes from then on, and nothing is delivered twice because of it.'],
  ['MUST', 'What a closing member held and did not accept goes to another member.'],
  ['MUST', 'Groups of the same name on different topics have nothing to do with one another.'],
  ['MUST', 'Only members that answer to the address of an event compete for it.'],
  ['MUST', 'What is no group name is refused with `invalid-address`.'],
  ['SHOULD', 'A member that is busy does not keep events from members that are free.'],
  ['MUST', 'What a member fails to handle is delivered again, to it or to another member, and accepted once.'],
  ['MUST', 'A group may have one member: it gets everything.'],
]);
