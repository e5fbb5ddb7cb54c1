import { enough, exceeded, type ServiceModel } from '../model.ts';
import { aboveDaily, type Flow, total } from '../traffic.ts';
import { DAYS_PER_MONTH } from '../workload.ts';

/** One billed message is 2 KB of outbound traffic, taken over the sum of it and not message by message. */
const BYTES_PER_MESSAGE = 2_048;

/**
 * Azure Web PubSub: outbound bytes beyond a daily allowance for each unit; what goes in is free.
 * @see https://learn.microsoft.com/azure/azure-web-pubsub/concept-billing-model
 */
export const webPubSub: ServiceModel = {
  service: 'web-pubsub',
  units: ['messages'],
  count: ({ events, presence }) => ({ messages: total([events, presence], outboundBytes) / BYTES_PER_MESSAGE }),
  quote({ tier, use, sizing }) {
    const { connections, events } = sizing.traffic;
    const { connectionsPerUnit, includedMessagesPerUnitDay, eventBytes } = tier.limits;
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', events.bytes, eventBytes],
      ['connections', connections, tier.limits.connections],
    ]);
    if (tooMuch) return tooMuch;

    const units = enough(connections / connectionsPerUnit!, tier.units!)!;
    const messages = use.units.messages!;
    const unitDays = units * DAYS_PER_MONTH;
    const extraMessages = aboveDaily(use.traffic, messages, units * includedMessagesPerUnitDay!);
    return {
      possible: true,
      size: units === 1 ? '1 unit' : `${units} units`,
      billedUnits: { messages, unitDays, extraMessages },
      charges: [
        { price: `${tier.id}-unit`, quantity: unitDays },
        { price: 'extra-messages', quantity: extraMessages },
      ],
    };
  },
};

function outboundBytes(flow: Flow): number {
  return (flow.events + flow.duplicates) * flow.copies * flow.bytes;
}
