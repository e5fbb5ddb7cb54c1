import { DAYS_PER_MONTH, HOURS_PER_MONTH, type ServiceName, type Workload } from './workload.ts';

/** Data of the event that tells others of a coming or going, where presence is emulated by ordinary events. */
export const PRESENCE_BYTES = 100;

/** Events of one kind in a month. */
export interface Flow {
  /** Distinct events. */
  readonly events: number;
  /** Publishes of an event that was published before. */
  readonly duplicates: number;
  /** Size of one message, bytes. */
  readonly bytes: number;
  /** Subscribers (or groups) that an event is for, on average. */
  readonly copies: number;
}

/** Some days of the month, and the share of the month's traffic that falls on each of them. */
export interface DayClass {
  readonly days: number;
  readonly share: number;
}

/** What a workload sends, worked out for one service. */
export interface Traffic {
  readonly workload: Workload;
  readonly events: Flow;
  /** Comings and goings, one event each, for everyone. */
  readonly presence: Flow;
  /** Subscribers, or groups of them, that an event for everyone reaches; the publisher among them with carbon copies. */
  readonly audience: number;
  readonly daily: readonly DayClass[];
  /** Publishes a second at the busiest moment. */
  readonly peakPerSecond: number;
  /** Participants connected at the busiest moment. */
  readonly connections: number;
  readonly connectedHours: number;
  readonly users: number;
  /** Bytes held for replay at the fullest. */
  readonly retainedBytes: number;
}

export function trafficOf(workload: Workload, service: ServiceName): Traffic {
  const events = eventsPerMonth(workload);
  const bytes = workload.payloadBytes + workload.envelopeBytes;
  const daily = dayClasses(workload);
  const participants = workload.subscribers + workload.publishers;
  const busiestDay = Math.max(...daily.map((day) => day.share)) * events;
  return {
    workload,
    events: { events, duplicates: events * workload.duplicateShare, bytes, copies: meanCopies(workload) },
    presence: {
      events: workload.presenceChangesPerMonth,
      duplicates: 0,
      bytes: PRESENCE_BYTES + workload.envelopeBytes,
      copies: workload.subscribers,
    },
    audience: audienceOf(workload),
    daily,
    peakPerSecond: peakOf(workload, events),
    connections: workload.services[service]?.connections ?? workload.connections.peak ?? participants,
    connectedHours: workload.connections.hoursPerMonth,
    users: workload.monthlyActiveUsers ?? participants,
    retainedBytes: (busiestDay / 24) * workload.retentionHours * bytes,
  };
}

/** The same month with nothing published or read back and nobody coming or going; whoever is connected stays connected. */
export function idle(workload: Workload): Workload {
  const { services } = workload;
  return {
    ...workload,
    publishes: { perMonth: 0, peakPerSecond: 0 },
    presenceChangesPerMonth: 0,
    services: services.ably ? { ...services, ably: { ...services.ably, historyMessagesPerMonth: 0 } } : services,
  };
}

/** Events handed to subscribers in a month when no filter and no failure is in the way. */
export function deliveriesPerMonth(workload: Workload): number {
  return eventsPerMonth(workload) * meanCopies(workload);
}

/** Publishes a month. */
export function eventsPerMonth({ publishes }: Workload): number {
  if (publishes.profile === undefined) return publishes.perMonth ?? 0;
  return publishes.profile.reduce((sum, part) => sum + perDay(part) * part.daysPerMonth, 0);
}

/** Sums a quantity over flows. */
export function total(flows: readonly Flow[], quantity: (flow: Flow) => number): number {
  return flows.reduce((sum, flow) => sum + quantity(flow), 0);
}

/** How many billing steps a message of `bytes` is; an empty one is one step. */
export function steps(bytes: number, stepBytes: number): number {
  return Math.max(1, Math.ceil(bytes / stepBytes));
}

/** The flow as messages of several events, as far as the largest message allows. */
export function batched(flow: Flow, eventsPerBatch: number, maxBytes: number): Flow {
  const room = flow.bytes === 0 ? eventsPerBatch : Math.max(1, Math.floor(maxBytes / flow.bytes));
  const size = Math.min(eventsPerBatch, room);
  return { ...flow, events: flow.events / size, duplicates: flow.duplicates / size, bytes: flow.bytes * size };
}

/** The busiest day's part of a month's quantity. */
export function onBusiestDay(traffic: Traffic, monthly: number): number {
  return monthly * Math.max(...traffic.daily.map((day) => day.share));
}

/** The part of a month's quantity that lies above an allowance which starts anew each day. */
export function aboveDaily(traffic: Traffic, monthly: number, allowance: number): number {
  return traffic.daily.reduce((sum, day) => sum + day.days * Math.max(0, monthly * day.share - allowance), 0);
}

/** Participants connected at once, averaged over a month: what hourly peaks divided by 730 come to. */
export function meanConnections(traffic: Traffic): number {
  return (traffic.connections * Math.min(traffic.connectedHours, HOURS_PER_MONTH)) / HOURS_PER_MONTH;
}

function audienceOf(workload: Workload): number {
  return (workload.groups ?? workload.subscribers) + (workload.carbonCopy ? 1 : 0);
}

function meanCopies(workload: Workload): number {
  const { fanOut, subscribers, roles } = workload;
  const everyone = workload.groups ?? subscribers;
  const role = Math.min(everyone, subscribers / roles);
  const one = Math.min(1, subscribers);
  const others = fanOut.everyone * everyone + fanOut.role * role + fanOut.instance * one;
  return others + (workload.carbonCopy ? 1 : 0);
}

function peakOf({ publishes }: Workload, events: number): number {
  if (publishes.peakPerSecond !== undefined) return publishes.peakPerSecond;
  // Parts of a profile may fall into the same hour: their sum is the safe side.
  if (publishes.profile !== undefined) return publishes.profile.reduce((sum, part) => sum + part.perSecond, 0);
  return events / ((publishes.daysPerMonth ?? DAYS_PER_MONTH) * 86_400);
}

/**
 * Splits a month into kinds of days. Parts of a profile with fewer days are taken to fall on days that the longer-running
 * parts have too, so a weekday's peak comes on top of the base load.
 */
function dayClasses(workload: Workload): readonly DayClass[] {
  const { publishes } = workload;
  const events = eventsPerMonth(workload);
  if (publishes.profile === undefined || events === 0) {
    const days = publishes.daysPerMonth ?? DAYS_PER_MONTH;
    return [{ days, share: 1 / days }];
  }
  const parts = [...publishes.profile].sort((a, b) => a.daysPerMonth - b.daysPerMonth);
  return parts.map((part, index) => ({
    days: part.daysPerMonth - (parts[index - 1]?.daysPerMonth ?? 0),
    share: parts.slice(index).reduce((sum, running) => sum + perDay(running), 0) / events,
  }));
}

function perDay(part: { perSecond: number; hoursPerDay: number }): number {
  return part.perSecond * 3600 * part.hoursPerDay;
}
