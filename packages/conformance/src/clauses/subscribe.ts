import { chapter } from '../clause.ts';

export const subscribe = chapter('subscribe', 'Subscribing to events.', [
  ['MUST', 'Once `subscribe` resolved, every event published afterwards arrives.'],
  [
    'MUST',
    'A subscription that starts with new events gets no event published before it, except events that were still in transit to its broadcaster.',
  ],
  ['MUST', 'Each of several subscriptions of one broadcaster gets every event.'],
  ['MUST', 'Any number of subscriptions and subscribers may listen at once.'],
  ['MUST', 'Closing one subscription does not affect the others.'],
  ['MUST', 'A subscription can be read with `for await`: requesting the next delivery accepts the previous one.'],
  ['MUST', 'Leaving a `for await` loop releases the current delivery unless it was settled.'],
  ['MUST', 'Only events that match the filter are delivered.'],
  ['MUST', 'A handler that is not a function, and invalid options, are rejected.'],
  [
    'MUST',
    'Aborting the signal of a subscription closes it; if the signal is already aborted, `subscribe` rejects with `aborted`.',
  ],
  ['MUST', 'At most `concurrency` handlers of a subscription run at once, and with 1 they run in order.'],
  ['MUST', 'With `concurrency` above 1, that many handlers run at once if there is enough work.'],
  [
    'MUST',
    'A paused subscription delivers nothing; events that arrive meanwhile are delivered, in order, after `resume`.',
  ],
  ['MUST', '`drain` resolves when no event is held and no handler runs.'],
  ['MUST', 'Subscriptions never wait for one another: a slow or failing handler delays only its own subscription.'],
  ['MUST', '`state` and `pending` are accurate.'],
  ['MUST', 'After repeated subscribing and closing, exactly the open subscriptions remain.'],
  ['MUST', 'A handler may publish, subscribe and close.'],
]);
