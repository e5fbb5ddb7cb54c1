import { chapter } from '../clause.ts';

export const members = chapter('members', 'Listing the members of a topic.', [
  ['MUST', 'Every participant that listens on the topic is a member, including the caller’s own instance.'],
  ['MUST', 'Members can be listed by role.'],
  ['MUST', 'A participant that has closed is not a member.'],
  ['MUST', 'A member is listed with its role, its instance and its deployment.'],
  ['MUST', 'Members of other topics are not listed.'],
  ['MUST', 'Listing members is not visible in any subscription.'],
  [
    'MUST',
    'Where membership is billed, a participant that did not enable it at `connect` is not listed, and its own call is rejected with `invalid-configuration`.',
  ],
]);
