import { exceeded, type QuoteRequest, type ServiceModel } from '../model.ts';
import { batched, type Flow, type Traffic, total } from '../traffic.ts';

const GB = 1e9;
const LARGEST_MESSAGE_BYTES = 65_536;
/** @default for `services.storage-queues.messagesPerReceive` */
export const DEFAULT_MESSAGES_PER_RECEIVE = 1;

/**
 * Azure Storage Queues: every REST call. A queue does not copy, so each subscriber (or group) has one of its own and an
 * event is put into each that it is for; subscribers poll, and a poll that finds nothing is a call as well.
 * @see https://azure.microsoft.com/pricing/details/storage/queues/
 */
export const storageQueues: ServiceModel = {
  service: 'storage-queues',
  units: ['transactions'],
  count(traffic) {
    const { workload } = traffic;
    const flows = [traffic.events, traffic.presence].map((flow) =>
      batched(flow, workload.eventsPerBatch, LARGEST_MESSAGE_BYTES),
    );
    const sends = total(flows, (flow) => published(flow) * Math.max(1, flow.copies));
    const deliveries = total(flows, (flow) => published(flow) * flow.copies);
    const perReceive = workload.services['storage-queues']?.messagesPerReceive ?? DEFAULT_MESSAGES_PER_RECEIVE;
    const receives = (deliveries * (1 + workload.redeliveryShare)) / perReceive;
    // A poll that brings messages is one that was not empty.
    return { transactions: sends + Math.max(receives, polls(traffic)) + deliveries };
  },
  quote(request) {
    const { tier, use, sizing } = request;
    const { events, peakPerSecond } = sizing.traffic;
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', events.bytes, tier.limits.eventBytes],
      ['messages a second on one queue', peakPerSecond, tier.limits.messagesPerSecond],
    ]);
    if (tooMuch) return tooMuch;
    const transactions = use.units.transactions!;
    const storedGb = stored(request);
    return {
      possible: true,
      billedUnits: { transactions, storedGbMonths: storedGb },
      charges: [
        { price: `${tier.id}-operations`, quantity: transactions },
        { price: `${tier.id}-capacity`, quantity: storedGb },
      ],
    };
  },
};

function published(flow: Flow): number {
  return flow.events + flow.duplicates;
}

function polls({ workload, connectedHours }: Traffic): number {
  return (workload.subscribers * connectedHours * 3600) / workload.pollSeconds;
}

function stored({ use: { traffic } }: QuoteRequest): number {
  return (traffic.retainedBytes * traffic.events.copies) / GB;
}
