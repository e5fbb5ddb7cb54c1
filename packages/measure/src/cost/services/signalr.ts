import { enough, exceeded, impossible, type ServiceModel } from '../model.ts';
import { aboveDaily, batched, type Flow, onBusiestDay, steps, type Traffic, total } from '../traffic.ts';
import { DAYS_PER_MONTH } from '../workload.ts';

/** An outbound message counts once for every 2 KB. */
const STEP_BYTES = 2_048;
/** Connections a hub server holds to the service in default mode. */
const CONNECTIONS_PER_APP_SERVER = 5;

/**
 * Azure SignalR Service: outbound messages beyond a daily million for each unit; what goes in is free. In default mode
 * an event that a client publishes goes out to a hub server first, and that copy counts too.
 * @see https://learn.microsoft.com/azure/azure-signalr/signalr-concept-messages-and-connections
 */
export const signalr: ServiceModel = {
  service: 'signalr',
  units: ['messages'],
  count: (traffic) => ({ messages: total([traffic.events, traffic.presence], (flow) => messages(flow, traffic)) }),
  quote({ tier, use, sizing }) {
    const connections = connectionsOf(sizing.traffic);
    const { connectionsPerUnit, includedMessagesPerUnitDay } = tier.limits;
    const tooMuch = exceeded(tier, [
      ['bytes an event', sizing.traffic.events.bytes, tier.limits.eventBytes],
      ['connections', connections, tier.limits.connections],
      ['messages a day', onBusiestDay(sizing.traffic, sizing.units.messages!), tier.limits.messagesPerDay],
    ]);
    if (tooMuch) return tooMuch;
    if (sizing.traffic.workload.groups !== undefined) return impossible(`${tier.title}: no competing consumers`);

    const units = connectionsPerUnit === undefined ? 1 : enough(connections / connectionsPerUnit, tier.units);
    if (units === undefined) {
      const most = connectionsPerUnit! * tier.units!.at(-1)!;
      return exceeded(tier, [['connections', connections, most]])!;
    }
    const messages = use.units.messages!;
    const unitDays = units * DAYS_PER_MONTH;
    if (tier.id === 'free') {
      return {
        possible: true,
        billedUnits: { messages, unitDays },
        charges: [{ price: 'free', quantity: unitDays }],
        notes: ['The free unit stops at its daily limit; no service level is promised'],
      };
    }
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

function messages(flow: Flow, { workload }: Traffic): number {
  const { events, duplicates, bytes, copies } = batched(flow, workload.eventsPerBatch, 1_048_576);
  const forwarded = workload.services.signalr?.mode === 'default' ? 1 : 0;
  return (events + duplicates) * (copies + forwarded) * steps(bytes, STEP_BYTES);
}

function connectionsOf({ workload, connections }: Traffic): number {
  const options = workload.services.signalr;
  if (options?.mode !== 'default') return connections;
  return connections + CONNECTIONS_PER_APP_SERVER * (options.appServers ?? 1);
}
