import { chapter } from '../clause.ts';

export const payloads = chapter('payloads', 'What an event carries.', [
  ['MUST', 'Any JSON value arrives equal to what was published.'],
  ['MUST', 'An event without data arrives without data.'],
  ['MUST', 'Text arrives character for character, in data and in attributes, whatever the script.'],
  ['MUST', 'Bytes arrive byte for byte, as bytes.'],
  ['MUST', 'Data of any size up to the stated limit arrives whole.'],
  ['MUST', 'No data can reach the prototypes of the receiver’s objects.'],
  ['MUST', 'With chunking, an event larger than the service allows arrives whole, once.'],
  ['MUST', 'What a handler receives is a CloudEvents 1.0 event that `toJSON` gives as its JSON format says.'],
  [
    'MUST',
    'Data that JSON cannot carry is refused with `invalid-payload` and its path; bytes arrive as a plain `Uint8Array`, whatever they were.',
  ],
]);
