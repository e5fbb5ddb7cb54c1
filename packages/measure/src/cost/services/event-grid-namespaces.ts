import { exceeded, type QuoteRequest, type ServiceModel } from '../model.ts';
import { type Flow, steps, type Traffic, total } from '../traffic.ts';
import { HOURS_PER_MONTH } from '../workload.ts';

const STEP_BYTES = 65_536;

/**
 * Azure Event Grid namespaces: throughput units by the hour, and operations in and out. Over MQTT each publish and each
 * delivery is an operation of its own meter.
 * @see https://azure.microsoft.com/pricing/details/event-grid/
 */
export const eventGridNamespaces: ServiceModel = {
  service: 'event-grid-namespaces',
  units: ['operations'],
  count: (traffic) => ({
    operations: total([traffic.events, traffic.presence], (flow) => operations(flow, traffic)),
  }),
  quote(request) {
    const { tier, use, sizing } = request;
    const { events, audience } = sizing.traffic;
    const units = Math.max(1, Math.ceil(throughputUnits(request)));
    const mqtt = tier.id === 'mqtt';
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', events.bytes, tier.limits.eventBytes],
      ['subscriptions', audience, tier.limits.subscriptions],
      ['throughput units', units, tier.limits.units],
    ]);
    if (tooMuch) return tooMuch;

    const unitHours = units * HOURS_PER_MONTH;
    const operations = use.units.operations!;
    return {
      possible: true,
      size: `${units} TU`,
      billedUnits: { operations, throughputUnitHours: unitHours },
      charges: [
        { price: 'throughput-unit', quantity: unitHours },
        { price: mqtt ? 'mqtt-operations' : 'event-operations', quantity: operations },
      ],
      notes: mqtt ? [] : ['Assumed free, without a source: acknowledgements and empty polls'],
    };
  },
};

function operations(flow: Flow, { workload }: Traffic): number {
  const size = steps(flow.bytes, STEP_BYTES);
  const published = flow.events + flow.duplicates;
  const delivered = published * flow.copies * workload.filterPassShare;
  return size * (published + delivered * (1 + workload.redeliveryShare));
}

function throughputUnits({ tier, sizing: { traffic } }: QuoteRequest): number {
  const { limits } = tier;
  const { peakPerSecond, events, connections, workload } = traffic;
  const outPerSecond = peakPerSecond * events.copies * workload.filterPassShare;
  return Math.max(
    peakPerSecond / limits.eventsInPerUnit!,
    (peakPerSecond * events.bytes) / limits.bytesInPerUnit!,
    outPerSecond / limits.eventsOutPerUnit!,
    (outPerSecond * events.bytes) / limits.bytesOutPerUnit!,
    limits.connectionsPerUnit === undefined ? 0 : connections / limits.connectionsPerUnit,
  );
}
