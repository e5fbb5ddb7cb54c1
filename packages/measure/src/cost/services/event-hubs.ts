import { enough, exceeded, impossible, type Quote, type QuoteRequest, type ServiceModel } from '../model.ts';
import { type Flow, steps, total } from '../traffic.ts';
import { HOURS_PER_MONTH } from '../workload.ts';

/** An ingress event counts once for every 64 KB. */
const STEP_BYTES = 65_536;

/**
 * Azure Event Hubs: throughput units by the hour and, in Basic and Standard, events in; reading is free. Nothing is
 * filtered or addressed there, so every consumer group reads everything.
 * @see https://azure.microsoft.com/pricing/details/event-hubs/
 */
export const eventHubs: ServiceModel = {
  service: 'event-hubs',
  units: ['ingressEvents'],
  count: ({ events, presence }) => ({ ingressEvents: total([events, presence], ingress) }),
  quote(request) {
    const { tier, sizing } = request;
    const { events, audience, connections, workload } = sizing.traffic;
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', events.bytes, tier.limits.eventBytes],
      ['consumer groups', audience, tier.limits.copies],
      ['connections', connections, tier.limits.connections],
      ['hours of retention', workload.retentionHours, tier.limits.retentionHours],
    ]);
    if (tooMuch) return tooMuch;
    if (workload.services['event-hubs']?.capture && tier.id === 'basic') return impossible(`${tier.title}: no Capture`);
    return tier.units === undefined ? byThroughput(request) : byConnections(request);
  },
};

function ingress(flow: Flow): number {
  return (flow.events + flow.duplicates) * steps(flow.bytes, STEP_BYTES);
}

function byThroughput({ tier, use, sizing: { traffic } }: QuoteRequest): Quote {
  const { limits } = tier;
  const { events, peakPerSecond, audience, retainedBytes, workload } = traffic;
  const needed = Math.max(
    (peakPerSecond * events.bytes) / limits.bytesInPerUnit!,
    peakPerSecond / limits.eventsInPerUnit!,
    (peakPerSecond * audience * events.bytes) / limits.bytesOutPerUnit!,
    (peakPerSecond * audience) / limits.eventsOutPerUnit!,
    retainedBytes / limits.storedBytesPerUnit!,
  );
  const units = Math.max(1, Math.ceil(needed));
  const tooMuch = exceeded(tier.title, [['throughput units', units, limits.units]]);
  if (tooMuch) return tooMuch;
  const unitHours = units * HOURS_PER_MONTH;
  const ingressEvents = use.units.ingressEvents!;
  const capture = workload.services['event-hubs']?.capture === true;
  return {
    possible: true,
    size: `${units} TU`,
    billedUnits: { ingressEvents, throughputUnitHours: unitHours, ...(capture && { captureHours: unitHours }) },
    charges: [
      { price: `${tier.id}-unit`, quantity: unitHours },
      { price: 'ingress', quantity: ingressEvents },
      ...(capture ? [{ price: 'standard-capture', quantity: unitHours }] : []),
    ],
  };
}

function byConnections({ tier, use, sizing: { traffic } }: QuoteRequest): Quote {
  const units = enough(traffic.connections / tier.limits.connectionsPerUnit!, tier.units!)!;
  const unitHours = units * HOURS_PER_MONTH;
  return {
    possible: true,
    size: units === 1 ? '1 unit' : `${units} units`,
    billedUnits: { ingressEvents: use.units.ingressEvents!, unitHours },
    charges: [{ price: `${tier.id}-unit`, quantity: unitHours }],
    notes: ['Units are chosen only by connections: there is no published figure for their throughput'],
  };
}
