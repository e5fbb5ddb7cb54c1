import { exceeded, type ServiceModel } from '../model.ts';
import { batched, steps } from '../traffic.ts';

/** A transaction counts once for every 2 KiB. */
const STEP_BYTES = 2_048;
const LARGEST_MESSAGE_BYTES = 32_768;

/**
 * PubNub: a replicated transaction for each publish and an edge transaction for each receipt; or a plan by users.
 * @see https://www.pubnub.com/docs/resources/pricing
 */
export const pubnub: ServiceModel = {
  service: 'pubnub',
  units: ['replicatedTransactions', 'edgeTransactions'],
  count({ events, presence, workload }) {
    const flow = batched(events, workload.eventsPerBatch, LARGEST_MESSAGE_BYTES);
    const published = (flow.events + flow.duplicates) * steps(flow.bytes, STEP_BYTES);
    return {
      replicatedTransactions: published,
      edgeTransactions: published * flow.copies + presence.events * (1 + presence.copies),
    };
  },
  quote({ tier, size, use, sizing }) {
    const { events, users } = sizing.traffic;
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', events.bytes, tier.limits.eventBytes],
      ['monthly active users', users, size?.limits.monthlyActiveUsers],
    ]);
    if (tooMuch) return tooMuch;
    if (size !== undefined) {
      return {
        possible: true,
        size: size.id,
        billedUnits: { ...use.units, monthlyActiveUsers: users, planMonths: 1 },
        charges: [{ price: size.price, quantity: 1 }],
      };
    }
    return {
      possible: true,
      billedUnits: use.units,
      charges: [
        { price: 'replicated', quantity: use.units.replicatedTransactions! },
        { price: 'edge', quantity: use.units.edgeTransactions! },
      ],
    };
  },
};
