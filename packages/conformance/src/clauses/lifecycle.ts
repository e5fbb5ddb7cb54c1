import { chapter } from '../clause.ts';

export const lifecycle = chapter('lifecycle', 'Beginning and end.', [
  ['MUST', '`close` is idempotent, may be called many times at once, and never rejects.'],
  ['MUST', 'After `close` began, every other call rejects with `closed`.'],
  ['MUST', '`close` waits for handlers that run and for what is held, up to `drainMs`.'],
  ['MUST', '`close` gives up after `drainMs`, and then aborts the signals of the deliveries it leaves.'],
  ['MUST', 'Nothing is handed to a handler after `close` of its subscription or broadcaster resolved.'],
  ['MUST', 'Publishes under way when `close` is called are sent, and delivered, or reject; none is lost in silence.'],
  ['MUST', 'A handler may close its own subscription and its own broadcaster without blocking for ever.'],
  ['MUST', 'Closing ends `for await` loops over its subscriptions.'],
  ['MUST', 'Closing one broadcaster does not disturb another.'],
  ['MUST', 'A closed broadcaster leaves nothing on the service for its dynamic subscriptions.'],
  ['MUST', 'A closed broadcaster leaves nothing in the process that keeps it alive.'],
  ['MUST', 'Broadcasters and subscriptions work with `await using`.'],
  ['MUST', 'Connecting and closing over and over works.'],
  [
    'MUST',
    'Subscribing while closing either rejects with `closed` or gives a subscription that ends with the broadcaster.',
  ],
  ['MUST', 'Below core: a source delivers nothing after `stop` resolved; `stop` and `close` are idempotent.'],
  ['MUST', 'Nothing is thrown and no promise rejects where no caller can catch it: the process lives.'],
  [
    'MUST',
    'A handler that awaits the close of its own subscription does not wait for itself, and its delivery is accepted when it returns.',
  ],
  ['MUST', 'No listener stays on an `AbortSignal` once the subscription or request that was given it has ended.'],
  [
    'MUST',
    'Broadcasters over one transport object do not disturb one another, whether one ends or their connection is lost.',
  ],
  [
    'MUST',
    'A `connect` that is aborted leaves nothing that keeps the process alive, also where the service does not answer.',
  ],
]);
