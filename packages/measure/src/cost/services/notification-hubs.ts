import { exceeded, type ServiceModel } from '../model.ts';
import { total } from '../traffic.ts';

/**
 * Azure Notification Hubs: a base charge and every push to a device beyond what it includes.
 * @see https://azure.microsoft.com/pricing/details/notification-hubs/
 */
export const notificationHubs: ServiceModel = {
  service: 'notification-hubs',
  units: ['pushes'],
  count: ({ events, presence }) => ({
    pushes: total([events, presence], (flow) => (flow.events + flow.duplicates) * flow.copies),
  }),
  quote({ tier, use, sizing }) {
    const { events } = sizing.traffic;
    const tooMuch = exceeded(tier.title, [['bytes an event', events.bytes, tier.limits.eventBytes]]);
    if (tooMuch) return tooMuch;
    const pushes = use.units.pushes!;
    return {
      possible: true,
      billedUnits: { pushes, baseMonths: 1 },
      charges: [
        { price: `${tier.id}-base`, quantity: 1 },
        { price: `${tier.id}-pushes`, quantity: pushes },
      ],
      notes: ['Devices are reached through their vendors’ push services, best effort'],
    };
  },
};
