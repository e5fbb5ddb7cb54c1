import { chapter } from '../clause.ts';

export const filter = chapter(
  'filter',
  'Which events a filter passes. Each filter is checked with what the transport evaluates itself, and again with a service that evaluates a part of it.',
  [
    ['MUST', 'Exactly the events that match the filter are delivered, whichever part of it the service evaluates.'],
    [
      'MUST',
      'An event matches only if the expression evaluates to the boolean true without an error, such as a missing attribute or a failed cast.',
    ],
    [
      'MUST',
      'Strings are compared case-sensitively by code point; integers, strings and booleans are cast as CESQL defines.',
    ],
    ['MUST', 'The dialects of the CloudEvents Subscriptions API have the meaning defined there.'],
    ['MUST', 'An invalid filter is rejected with `invalid-filter`, and nothing is left behind.'],
    ['MUST', 'Filter and address both apply: an event must be addressed to the participant and match the filter.'],
    [
      'MUST',
      'In a group, an event that does not match is settled: no member receives it, and it is not dead-lettered.',
    ],
    ['MUST', 'Each of many subscriptions of one broadcaster gets the events that match its own filter, once.'],
    [
      'MUST',
      'Subscriptions with filters can open and close while events flow, also from within handlers, without affecting others.',
    ],
    ['MUST', 'A filter can be a string, a dialect, a built expression or a compiled filter.'],
  ],
);
