import { exceeded, impossible, type ServiceModel } from '../model.ts';
import { type Flow, onBusiestDay, steps, total } from '../traffic.ts';

/** A message counts once for every 4 KB. */
const STEP_BYTES = 4_096;

/**
 * Azure IoT Hub: units, each with a daily quota of messages in either direction.
 * @see https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-pricing
 */
export const iotHub: ServiceModel = {
  service: 'iot-hub',
  units: ['messages'],
  count: ({ events, presence }) => ({ messages: total([events, presence], messages) }),
  quote({ tier, size, use, sizing }) {
    const { events } = sizing.traffic;
    const perUnit = size!.limits.messagesPerDay!;
    const perDay = onBusiestDay(sizing.traffic, sizing.units.messages!);
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', events.bytes, tier.limits.eventBytes],
      ['messages a day', perDay, perUnit * tier.limits.units!],
    ]);
    if (tooMuch) return tooMuch;
    if (tier.limits.copies !== undefined && events.copies > tier.limits.copies) {
      return impossible(`${tier.title}: nothing can be sent to devices`);
    }
    const units = Math.max(1, Math.ceil(perDay / perUnit));
    return {
      possible: true,
      size: `${units} × ${size!.id}`,
      billedUnits: { messages: use.units.messages!, unitMonths: units },
      charges: [{ price: size!.price, quantity: units }],
    };
  },
};

function messages(flow: Flow): number {
  return (flow.events + flow.duplicates) * (1 + flow.copies) * steps(flow.bytes, STEP_BYTES);
}
