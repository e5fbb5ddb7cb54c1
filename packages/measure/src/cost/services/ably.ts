import { exceeded, type Quote, type QuoteRequest, type ServiceModel } from '../model.ts';
import { batched, steps, type Traffic } from '../traffic.ts';

/** A message counts once for every 5 KiB. */
const STEP_BYTES = 5_120;
const LARGEST_MESSAGE_BYTES = 65_536;

/**
 * Ably: a message in for each publish and one out for each subscriber, minutes of connections, minutes of channels.
 * A duplicate that Ably drops (same message id within two minutes) is counted on its way in.
 * @see https://ably.com/docs/platform/pricing/message-counting
 */
export const ably: ServiceModel = {
  service: 'ably',
  units: ['messages', 'channelMinutes', 'connectionMinutes'],
  count(traffic) {
    const { presence, workload } = traffic;
    const history = workload.services.ably?.historyMessagesPerMonth ?? 0;
    const minutes = traffic.connectedHours * 60;
    return {
      messages: messages(traffic) + presence.events * (1 + presence.copies) + history,
      channelMinutes: channelsOf(traffic) * minutes,
      connectionMinutes: traffic.connections * minutes,
    };
  },
  quote(request) {
    const { tier, sizing } = request;
    const { traffic, units } = sizing;
    const peak = atPeak(traffic);
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', traffic.events.bytes, tier.limits.eventBytes],
      ['connections', traffic.connections, tier.limits.connections],
      ['channels', channelsOf(traffic), tier.limits.channels],
      ['messages a month', units.messages!, tier.limits.messagesPerMonth],
      ['messages a second', messages(peak), tier.limits.messagesPerSecond],
      ['publishes a second on one channel', publishesPerChannel(peak), tier.limits.publishesPerSecondPerChannel],
    ]);
    if (tooMuch) return tooMuch;
    return tier.id.startsWith('mau-') ? byUsers(request) : byUse(request);
  },
};

function messages({ events, workload }: Traffic): number {
  const {
    events: publishes,
    duplicates,
    bytes,
    copies,
  } = batched(events, workload.eventsPerBatch, LARGEST_MESSAGE_BYTES);
  const persisted = workload.services.ably?.persisted ? 1 : 0;
  return steps(bytes, STEP_BYTES) * (duplicates + publishes * (1 + copies + persisted));
}

/** The second in which most is published, all of it as new events. */
function atPeak(traffic: Traffic): Traffic {
  return { ...traffic, events: { ...traffic.events, events: traffic.peakPerSecond, duplicates: 0 } };
}

/** The channel of a topic that everyone listens to takes most. */
function publishesPerChannel({ events, workload }: Traffic): number {
  const publishes = batched(events, workload.eventsPerBatch, LARGEST_MESSAGE_BYTES).events;
  return (publishes * workload.fanOut.everyone) / workload.topics;
}

function channelsOf({ workload }: Traffic): number {
  return workload.services.ably?.channels ?? workload.topics * (1 + workload.roles + workload.subscribers);
}

function byUse({ tier, use: { units } }: QuoteRequest): Quote {
  const charges = [{ price: `package-${tier.id}`, quantity: 1 }];
  if (tier.id !== 'free') {
    charges.push(
      { price: 'messages', quantity: units.messages! },
      { price: 'channel-minutes', quantity: units.channelMinutes! },
      { price: 'connection-minutes', quantity: units.connectionMinutes! },
    );
  }
  return { possible: true, billedUnits: { ...units, packages: 1 }, charges };
}

function byUsers({ tier, use, sizing }: QuoteRequest): Quote {
  const { users } = sizing.traffic;
  const tooMuch = exceeded(tier.title, [
    ['messages', sizing.units.messages!, users * tier.limits.messagesPerUser!],
    ['connection minutes', sizing.units.connectionMinutes!, users * tier.limits.connectionMinutesPerUser!],
  ]);
  if (tooMuch) return tooMuch;
  return {
    possible: true,
    billedUnits: { ...use.units, monthlyActiveUsers: users, packages: 1 },
    charges: [
      { price: tier.id.replace('mau', 'package'), quantity: 1 },
      { price: 'mau', quantity: users },
    ],
  };
}
