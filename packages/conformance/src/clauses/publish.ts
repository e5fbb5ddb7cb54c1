import { chapter } from '../clause.ts';

export const publish = chapter('publish', 'Publishing events.', [
  [
    'MUST',
    'Once `publish` resolved, the event is delivered to the subscribers, unless the guarantee allows a loss and the loss is signalled.',
  ],
  ['MUST', 'Attributes arrive as published, and extension attributes keep their types.'],
  [
    'MUST',
    'Omitted attributes have the documented defaults: a unique id, the source of the publisher, the time of publishing.',
  ],
  ['MUST', 'An event that violates CloudEvents 1.0 is rejected with `invalid-event`, and nothing is sent.'],
  ['MUST', 'Data that cannot be written as JSON is rejected with `invalid-payload`, and nothing is sent.'],
  ['MUST', 'An event larger than the transport accepts is rejected with `payload-too-large`, and nothing is sent.'],
  [
    'MUST',
    'With `confirm: "none"`, publish resolves without waiting for the transport, and the event is delivered as usual.',
  ],
  ['MUST', 'A publish whose signal is already aborted rejects with `aborted`, and nothing is sent.'],
  ['MUST', 'Any number of publishes may be pending at once, from any number of publishers.'],
  ['MUST', 'An event is captured when `publish` is called: later changes to the input object change no attribute.'],
  ['MUST', 'Publishing requires no subscriber and no subscription of the publisher’s own.'],
  ['MUST', 'Invalid options are rejected when publishing, and nothing is sent.'],
  [
    'MUST',
    'A publish that the transport refuses rejects with the transport’s error; with `confirm: "none"` it is signalled as `failed`.',
  ],
  ['MUST', 'If the transport refuses some events of a batch, exactly the publishes of those events reject.'],
  [
    'MUST',
    'If the service asks the client to back off, nothing is sent again before that time has passed. An event that will have expired by then rejects at once with the service’s error.',
  ],
]);
