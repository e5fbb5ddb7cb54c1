import { chapter } from '../clause.ts';

export const members = chapter('members', 'Who is there.', [
  ['MUST', 'Everyone who listens on the topic is a member, this instance included.'],
  ['MUST', 'Members can be asked for by role.'],
  ['MUST', 'Who has closed is no member any more.'],
  ['MUST', 'A member is told with its role, its instance and its deployment.'],
  ['MUST', 'Members of other topics are not told.'],
  ['MUST', 'Asking does not show in anybody’s subscription.'],
  [
    'MUST',
    'Where the list is billed, who did not ask for it at `connect` is not in it, and is refused with `invalid-configuration` when asking.',
  ],
]);
