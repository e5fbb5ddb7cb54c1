import { exceeded, format, impossible, type Quote, type QuoteRequest, type ServiceModel } from '../model.ts';
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
  quote(request) {
    const { tier, sizing } = request;
    const { events, workload } = sizing.traffic;
    const tooMuch = exceeded(tier, [['bytes an event', events.bytes, tier.limits.eventBytes]]);
    if (tooMuch) return tooMuch;
    if (tier.limits.copies !== undefined && events.copies > tier.limits.copies) {
      return impossible(`${tier.title}: nothing can be sent to devices`);
    }
    if (workload.groups !== undefined) return impossible(`${tier.title}: no competing consumers among devices`);
    return fewestDollars(request);
  },
};

function messages(flow: Flow): number {
  return (flow.events + flow.duplicates) * (1 + flow.copies) * steps(flow.bytes, STEP_BYTES);
}

/** The smallest size of which so few units do that the next size, ten times as dear for fifteen times as much, is no better. */
function fewestDollars({ tier, use, sizing }: QuoteRequest): Quote {
  const perDay = onBusiestDay(sizing.traffic, sizing.units.messages!);
  const most = tier.limits.units!;
  for (const [index, size] of tier.sizes!.entries()) {
    const units = Math.max(1, Math.ceil(perDay / size.limits.messagesPerDay!));
    const larger = tier.sizes![index + 1] !== undefined;
    if (units > (larger ? 10 : most)) continue;
    return {
      possible: true,
      size: `${units} × ${size.id}`,
      billedUnits: { messages: use.units.messages!, unitMonths: units },
      charges: [{ price: size.price, quantity: units }],
    };
  }
  const largest = tier.sizes!.at(-1)!.limits.messagesPerDay! * most;
  return impossible(`${tier.title}: ${format(perDay)} messages a day where ${format(largest)} are possible`);
}
