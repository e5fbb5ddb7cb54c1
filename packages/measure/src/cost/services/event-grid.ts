import { exceeded, type ServiceModel } from '../model.ts';
import { type Flow, steps, type Traffic, total } from '../traffic.ts';

/** An operation covers 64 KB of one event. */
const STEP_BYTES = 65_536;

/**
 * Azure Event Grid topics: an operation for each event in and for each attempt to deliver it, retries included.
 * @see https://azure.microsoft.com/pricing/details/event-grid/
 */
export const eventGrid: ServiceModel = {
  service: 'event-grid',
  units: ['operations'],
  count: (traffic) => ({
    operations: total([traffic.events, traffic.presence], (flow) => operations(flow, traffic)),
  }),
  quote({ tier, use, sizing }) {
    const { events, audience, peakPerSecond, workload } = sizing.traffic;
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', events.bytes, tier.limits.eventBytes],
      ['subscriptions', audience, tier.limits.subscriptions],
      ['events a second', peakPerSecond / workload.topics, tier.limits.eventsPerSecond],
      ['bytes a second', (peakPerSecond * events.bytes) / workload.topics, tier.limits.bytesPerSecond],
    ]);
    if (tooMuch) return tooMuch;
    const { operations } = use.units;
    return {
      possible: true,
      billedUnits: { operations: operations! },
      charges: [{ price: 'operations', quantity: operations! }],
    };
  },
};

function operations(flow: Flow, { workload }: Traffic): number {
  const size = steps(flow.bytes, STEP_BYTES);
  const published = flow.events + flow.duplicates;
  const delivered = published * flow.copies * workload.filterPassShare;
  const matches = workload.services['event-grid']?.advancedMatches ? delivered : 0;
  return published * size + delivered * size * (1 + workload.redeliveryShare) + matches;
}
