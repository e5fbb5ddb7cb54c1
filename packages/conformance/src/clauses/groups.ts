import { chapter } from '../clause.ts';

export const groups = chapter('groups', 'Competing consumers.', [
  ['MUST', 'Each event for everyone, or for the role of a group, goes to exactly one member of the group.'],
  ['MUST', 'Every group, and every subscription without a group, gets every event for everyone.'],
  ['MUST', 'Members may be subscriptions of one broadcaster or of several.'],
  ['SHOULD', 'Work is shared: with many events, every idle member gets some.'],
  ['MUST', 'When a member leaves, the others get everything from then on.'],
  ['MUST', 'A member that joins competes from then on, and causes no duplicate delivery.'],
  [
    'MUST',
    'Events that a closing member held for the group and did not accept go to another member; events for its instance alone do not.',
  ],
  ['MUST', 'Groups of the same name on different topics are independent.'],
  [
    'MUST',
    'A group belongs to a role, and gets each event for everyone or for that role once. An event for one instance reaches each subscription of that instance, bypassing the group. An event for both reaches both, but never the same subscription twice.',
  ],
  ['MUST', 'An invalid group name is rejected with `invalid-address`.'],
  ['SHOULD', 'A busy member does not keep events from idle members.'],
  ['MUST', 'An event that a member fails to handle is delivered again, to it or to another member, and accepted once.'],
  ['MUST', 'A group with one member works: the member gets everything.'],
  [
    'MUST',
    'An event for its instance that a member fails to handle is retried there, and no other subscription handles it again.',
  ],
]);
