import { chapter } from '../clause.ts';

export const lifecycle = chapter('lifecycle', 'Connecting and closing.', [
  ['MUST', '`close` is idempotent, may be called concurrently, and never rejects.'],
  ['MUST', 'Once `close` was called, every other call rejects with `closed`.'],
  ['MUST', '`close` waits for running handlers and for held events, up to `drainMs`.'],
  ['MUST', '`close` gives up after `drainMs`, and then aborts the signals of the unfinished deliveries.'],
  ['MUST', 'No handler is called after `close` of its subscription or broadcaster resolved.'],
  [
    'MUST',
    'Publishes that are pending when `close` is called are sent and delivered, or reject; none is lost silently.',
  ],
  ['MUST', 'A handler may close its own subscription and its own broadcaster without a deadlock.'],
  ['MUST', 'Closing ends `for await` loops over its subscriptions.'],
  ['MUST', 'Closing one broadcaster does not affect another.'],
  ['MUST', 'A closed broadcaster leaves nothing of its dynamic subscriptions on the service.'],
  ['MUST', 'A closed broadcaster leaves nothing that keeps the process alive.'],
  ['MUST', 'Broadcasters and subscriptions work with `await using`.'],
  ['MUST', 'Repeated connecting and closing works.'],
  [
    'MUST',
    'Subscribing while closing either rejects with `closed` or returns a subscription that ends with the broadcaster.',
  ],
  ['MUST', 'Below core: a source delivers nothing after `stop` resolved; `stop` and `close` are idempotent.'],
  ['MUST', 'No error is thrown and no promise rejects where the caller cannot catch it; the process keeps running.'],
  [
    'MUST',
    'A handler that awaits the close of its own subscription does not deadlock, and its delivery is accepted when it returns.',
  ],
  ['MUST', 'No listener stays on an `AbortSignal` once the subscription or request that uses it has ended.'],
  [
    'MUST',
    'Broadcasters that share one transport object do not affect one another, whether one closes or the connection is lost.',
  ],
  ['MUST', 'An aborted `connect` leaves nothing that keeps the process alive, even if the service does not respond.'],
]);
