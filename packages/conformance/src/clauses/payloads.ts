import { chapter } from '../clause.ts';

export const payloads = chapter('payloads', 'The data of an event.', [
  ['MUST', 'Any JSON value arrives equal to the published one.'],
  ['MUST', 'An event without data arrives without data.'],
  ['MUST', 'Strings arrive unchanged in any script, in data and in attributes.'],
  ['MUST', 'Binary data arrives unchanged, as bytes.'],
  ['MUST', 'Data of any size up to the stated limit arrives complete.'],
  ['MUST', 'No data can modify the prototypes of the receiver’s objects.'],
  ['MUST', 'With chunking, an event larger than the service allows arrives complete, once.'],
  ['MUST', 'A handler receives a CloudEvents 1.0 event, and `toJSON` returns it in the CloudEvents JSON format.'],
  [
    'MUST',
    'Data that cannot be represented as JSON is rejected with `invalid-payload` and its path; any kind of byte array arrives as a plain `Uint8Array`.',
  ],
]);
