import { chapter } from '../clause.ts';

export const publish = chapter('publish', 'Telling.', [
  [
    'MUST',
    'Once `publish` resolved, the event is delivered to those who listen, unless the guarantee allows a loss that is signalled.',
  ],
  ['MUST', 'Attributes arrive as they were published, extension attributes with their types included.'],
  [
    'MUST',
    'What was left out has the documented default: a unique id, the source of the publisher, the time of publishing.',
  ],
  ['MUST', 'An event that breaks CloudEvents 1.0 is refused with `invalid-event`, and nothing is sent.'],
  ['MUST', 'Data that cannot be written as JSON is refused with `invalid-payload`, and nothing is sent.'],
  ['MUST', 'An event larger than the transport takes is refused with `payload-too-large`, and nothing is sent.'],
  [
    'MUST',
    'With `confirm: "none"` publish resolves without waiting for the transport, and the event is delivered as usual.',
  ],
  ['MUST', 'A publish whose signal is aborted already rejects with `aborted`, and nothing is sent.'],
  ['MUST', 'Any number of publishes may be under way at once, from any number of publishers.'],
  [
    'MUST',
    'An event is taken as it was when `publish` was called: changing the input object later changes no attribute.',
  ],
  ['MUST', 'Publishing needs no subscriber and no subscription of its own.'],
  ['MUST', 'Options that have no meaning are refused when publishing, and nothing is sent.'],
  [
    'MUST',
    'A publish that the transport refuses rejects with the transport’s error; with `confirm: "none"` it is signalled as `failed`.',
  ],
  ['MUST', 'If the transport refuses some events of a batch, exactly their publishes reject.'],
  [
    'MUST',
    'Nothing is sent again before the time that the service asked to be left alone for. An event that will have expired by then rejects at once with the service’s error.',
  ],
]);
