import { enough, exceeded, impossible, type Quote, type QuoteRequest, type ServiceModel } from '../model.ts';
import { eventsPerMonth, type Flow, meanConnections, steps, type Traffic, total } from '../traffic.ts';
import { HOURS_PER_MONTH } from '../workload.ts';

/** A send or receive counts once for every 64 KB. */
const STEP_BYTES = 65_536;

/**
 * Azure Service Bus: an operation is one API call. Each event is sent once, and each subscription whose rule lets it
 * through receives a copy and, under peek-lock, settles it. A duplicate that the service drops still was a send.
 * @see https://azure.microsoft.com/pricing/details/service-bus/
 * @see https://azure.microsoft.com/resources/knowledge-center/what-is-a-brokered-connection
 */
export const serviceBus: ServiceModel = {
  service: 'service-bus',
  units: ['operations'],
  count: (traffic) => ({
    operations: total([traffic.events, traffic.presence], (flow) => operations(flow, traffic)),
  }),
  quote(request) {
    const { tier, sizing } = request;
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', sizing.traffic.events.bytes, tier.limits.eventBytes],
      ['connections', sizing.traffic.connections, tier.limits.connections],
      ['subscriptions', subscriptions(sizing.traffic), tier.limits.subscriptions],
      ['operations a second', peakOperations(request), tier.limits.operationsPerSecond],
    ]);
    if (tooMuch) return tooMuch;
    if (tier.id === 'premium') return premium(request);
    return tier.id === 'standard' ? standard(request) : basic(request);
  },
};

function operations(flow: Flow, { workload }: Traffic): number {
  const size = steps(flow.bytes, STEP_BYTES);
  const locked = workload.receiveMode === 'peek-lock';
  const settle = locked ? 1 : 0;
  const redeliveries = locked ? workload.redeliveryShare : 0;
  const renewals = locked ? workload.lockRenewalsPerDelivery : 0;
  const copies = flow.events * flow.copies * workload.filterPassShare;
  return (flow.events + flow.duplicates) * size + copies * ((size + settle) * (1 + redeliveries) + renewals);
}

/** Each subscriber has one. A group has two, the second for events with a partition key, beside that of each member for what is addressed to it. */
function subscriptions({ audience, workload: { groups, subscribers } }: Traffic): number {
  return groups === undefined ? audience : audience + groups + subscribers;
}

function peakOperations({ sizing: { traffic, units } }: QuoteRequest): number {
  const events = eventsPerMonth(traffic.workload);
  return events === 0 ? 0 : (units.operations! / events) * traffic.peakPerSecond;
}

function basic({ tier, use, sizing }: QuoteRequest): Quote {
  if (sizing.traffic.audience > tier.limits.copies!) {
    return impossible(
      `${tier.title}: queues only, so one copy of an event, where ${sizing.traffic.audience} are wanted`,
    );
  }
  const { operations } = use.units;
  return {
    possible: true,
    billedUnits: { operations: operations! },
    charges: [{ price: 'basic-operations', quantity: operations! }],
  };
}

function standard({ use }: QuoteRequest): Quote {
  const { operations } = use.units;
  const connections = meanConnections(use.traffic);
  return {
    possible: true,
    billedUnits: { operations: operations!, brokeredConnections: connections, baseHours: HOURS_PER_MONTH },
    charges: [
      { price: 'standard-base', quantity: HOURS_PER_MONTH },
      { price: 'standard-operations', quantity: operations! },
      { price: 'standard-connections', quantity: connections },
    ],
    notes: ['The base charge, the free operations and the free connections are shared by a whole Azure subscription'],
  };
}

function premium({ tier, use, sizing }: QuoteRequest): Quote {
  const units = enough(sizing.traffic.connections / tier.limits.connectionsPerUnit!, tier.units!)!;
  return {
    possible: true,
    size: `${units} MU`,
    billedUnits: { operations: use.units.operations!, messagingUnitHours: units * HOURS_PER_MONTH },
    charges: [{ price: 'premium-unit', quantity: units * HOURS_PER_MONTH }],
    notes: ['Messaging units are chosen only by connections: there is no published figure for their throughput'],
  };
}
