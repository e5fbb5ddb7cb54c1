import { enough, exceeded, type ServiceModel } from '../model.ts';
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
    const { limits } = tier;
    const tooMuch = exceeded(tier.title, [
      ['bytes an event', sizing.traffic.events.bytes, limits.eventBytes],
      ['connections', connections, limits.connections],
      ['messages a day', onBusiestDay(sizing.traffic, sizing.units.messages!), limits.messagesPerDay],
    ]);
    if (tooMuch) return tooMuch;
    const messages = use.units.messages!;
    if (tier.id === 'free') {
      return {
        possible: true,
        billedUnits: { messages, unitDays: DAYS_PER_MONTH },
        charges: [{ price: 'free', quantity: DAYS_PER_MONTH }],
        notes: ['The free unit stops at its daily limit'],
      };
    }
    const units = enough(connections / limits.connectionsPerUnit!, tier.units!)!;
    const unitDays = units * DAYS_PER_MONTH;
    const extraMessages = aboveDaily(use.traffic, messages, units * limits.includedMessagesPerUnitDay!);
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
