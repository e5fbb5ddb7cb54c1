import { chapter } from '../clause.ts';

export const groups = chapter('groups', 'Competing consumers.', [
  ['MUST', 'Each event for everyone, or for the role of a group, goes to exactly one member of the group.'],
  ['MUST', 'Every group gets every event for everyone, and so does every subscription without a group.'],
  ['MUST', 'Members may be subscriptions of one broadcaster or of many.'],
  ['SHOULD', 'Work is shared: with many events every idle member gets some.'],
  ['MUST', 'When a member leaves, the others get everything from then on.'],
  ['MUST', 'A member that joins competes from then on, and nothing is delivered twice because of it.'],
  [
    'MUST',
    'What a closing member held for the group and did not accept goes to another member; what was for its instance alone does not.',
  ],
  ['MUST', 'Groups of the same name on different topics have nothing to do with one another.'],
  [
    'MUST',
    'A group belongs to a role, and gets each event for everyone or for that role once; an event for one instance reaches each subscription of that instance, past the group; and an event for both reaches both, but never one subscription twice.',
  ],
  ['MUST', 'What is no group name is refused with `invalid-address`.'],
  ['SHOULD', 'A member that is busy does not keep events from members that are free.'],
  ['MUST', 'What a member fails to handle is delivered again, to it or to another member, and accepted once.'],
  ['MUST', 'A group may have one member: it gets everything.'],
  [
    'MUST',
    'What a member fails to handle of what is for its instance is tried again there, and handled again by no other subscription.',
  ],
]);
