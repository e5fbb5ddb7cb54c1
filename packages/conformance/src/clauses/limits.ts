import { chapter } from '../clause.ts';

export const limits = chapter('limits', 'Manifest, limits and errors.', [
  ['MUST', 'The manifest states a level for every capability, and its limits are positive.'],
  [
    'MUST',
    'Using a capability whose level is `none` is rejected with `unsupported`, and the message names the capability.',
  ],
  ['MUST', 'The broadcaster exposes the manifest of its transport, its topic and its own participant.'],
  ['MUST', 'Only declared units are metered; if units are declared, publishing and receiving are counted.'],
  ['MUST', 'The location of a transport contains no secret.'],
  ['MUST', 'Creating a transport opens no connection.'],
  ['MUST', 'Back-pressure: a slow subscriber loses nothing, and holds no more events than its buffer allows.'],
  ['SHOULD', 'The service’s own client is available as `native`.'],
  [
    'MUST',
    'If the source pulls, it never fetches more for a paused or slow subscription than its sink has capacity for.',
  ],
  ['MUST', 'An endpoint answers every request with a `Response`, or rejects with a coded error.'],
]);
