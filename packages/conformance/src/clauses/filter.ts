import { chapter } from '../clause.ts';

export const filter = chapter(
  'filter',
  'What a filter lets through. Each filter is tried as the transport takes it, and again with a service that evaluates a part of it.',
  [
    [
      'MUST',
      'Only events that fit the filter are handed over, and all of them, whatever part of it the service evaluates.',
    ],
    [
      'MUST',
      'An event passes only if the expression is the boolean true and no error occurred: a missing attribute, a failed cast.',
    ],
    ['MUST', 'Texts compare with case and by code point; integers, texts and booleans are cast as CESQL says.'],
    ['MUST', 'The dialects of the CloudEvents Subscriptions API mean what they mean there.'],
    ['MUST', 'What cannot be read as a filter is refused with `invalid-filter`, and leaves nothing behind.'],
    ['MUST', 'Filter and address hold together: an event must be for the participant and fit.'],
    ['MUST', 'In a group, what does not fit is done with: it comes to no member and is set aside nowhere.'],
    ['MUST', 'Many subscriptions of one broadcaster each get what fits their own filter, once.'],
    [
      'MUST',
      'Subscriptions with filters come and go while events flow, and from within handlers, without touching others.',
    ],
    ['MUST', 'A filter can be text, a dialect, a built expression or a compiled filter.'],
  ],
);
