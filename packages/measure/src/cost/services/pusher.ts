import { exceeded, type ServiceModel } from '../model.ts';
import { batched, onBusiestDay } from '../traffic.ts';

const LARGEST_MESSAGE_BYTES = 10_240;

/**
 * Pusher Channels: a plan with daily messages and connections; each publish, each delivery and each delivery of a
 * presence member's coming or going is a message.
 * @see https://docs.bird.com/pusher
 */
export const pusher: ServiceModel = {
  service: 'pusher',
  units: ['messages'],
  count({ events, presence, workload }) {
    const flow = batched(events, workload.eventsPerBatch, LARGEST_MESSAGE_BYTES);
    return { messages: (flow.events + flow.duplicates) * (1 + flow.copies) + presence.events * presence.copies };
  },
  quote({ tier, use, sizing }) {
    const { events, connections } = sizing.traffic;
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', events.bytes, tier.limits.eventBytes],
      ['connections', connections, tier.limits.connections],
      ['messages a day', onBusiestDay(sizing.traffic, sizing.units.messages!), tier.limits.messagesPerDay],
    ]);
    if (tooMuch) return tooMuch;
    return {
      possible: true,
      billedUnits: { messages: use.units.messages!, planMonths: 1 },
      charges: [{ price: `plan-${tier.id}`, quantity: 1 }],
    };
  },
};
