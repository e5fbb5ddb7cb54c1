import { chapter } from '../clause.ts';

export const subscribe = chapter('subscribe', 'Listening.', [
  ['MUST', 'Once `subscribe` resolved, everything published afterwards arrives.'],
  [
    'MUST',
    'A subscription that starts with what is new gets nothing that was published before, but what was still on its way to its broadcaster.',
  ],
  ['MUST', 'Each of several subscriptions of one broadcaster gets every event.'],
  ['MUST', 'Any number of subscriptions and of subscribers may listen at once.'],
  ['MUST', 'Closing one subscription leaves the others as they are.'],
  ['MUST', 'A subscription can be read with `for await`: asking for the next delivery accepts the one before.'],
  ['MUST', 'Leaving a `for await` loop releases the delivery at hand unless it was settled.'],
  ['MUST', 'Only events that fit the filter are handed over.'],
  ['MUST', 'A handler that is no function, and options that have no meaning, are refused.'],
  ['MUST', 'Aborting the signal of a subscription closes it; one aborted already refuses with `aborted`.'],
  ['MUST', 'At most `concurrency` handlers of a subscription run at once, and with 1 they run in order.'],
  ['MUST', 'With `concurrency` above 1, that many handlers do run at once when there is work.'],
  ['MUST', 'A paused subscription hands nothing over; what came meanwhile is handed over, in order, after `resume`.'],
  ['MUST', '`drain` resolves when nothing is held and no handler runs.'],
  ['MUST', 'Subscriptions never wait for one another: a slow or failing handler holds up only its own.'],
  ['MUST', '`state` and `pending` tell the truth.'],
  ['MUST', 'Subscribing and closing over and over leaves exactly the subscriptions that are open.'],
  ['MUST', 'A handler may publish, subscribe and close.'],
]);
