import { chapter } from '../clause.ts';

export const limits = chapter('limits', 'Manifest, limits and errors.', [
  ['MUST', 'The manifest names every capability with a level, and its limits are positive.'],
  [
    'MUST',
    'Asking for a capability that is `none` is refused with `unsupported`, and the message names what was asked for.',
  ],
  ['MUST', 'The broadcaster shows the manifest of its transport, its topic and its own participant.'],
  ['MUST', 'Only declared units are metered; where units are declared, publishing and receiving count some.'],
  ['MUST', 'A transport’s location tells no secret.'],
  ['MUST', 'Making a transport connects to nothing.'],
  ['MUST', 'Back-pressure: a slow subscriber loses nothing, and holds no more than its buffer.'],
  ['SHOULD', 'The service’s own client can be reached through `native`.'],
  [
    'MUST',
    'Nothing fetched for a paused or slow subscription exceeds the room its sink says it has, where the source pulls.',
  ],
  ['MUST', 'An endpoint answers every request with a `Response`, or rejects with a coded error.'],
]);
