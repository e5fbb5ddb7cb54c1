import { redactUrl } from '@polycast/core';
import { Distribution } from './distribution.ts';
import type { LatencyResult, LinkLabel, ThroughputResult } from './latency-result.ts';
import { describeMachine } from './machine.ts';
import type { LatencyOptions } from './measure-latency.ts';
import type { PublishReport } from './publisher.ts';
import type { SubscribeReport } from './subscriber.ts';

/** Options with every default filled in. */
export interface Plan {
  readonly rate: number;
  readonly durationS: number;
  readonly warmUpS: number;
  readonly payloadBytes: number;
  readonly subscribers: number;
  readonly subscriberProcesses: number;
  readonly throughputS: number;
  readonly inFlight: number;
  readonly quietMs: number;
  readonly processes: 'separate' | 'shared';
  readonly link: LinkLabel;
}

/** Puts together what both sides say. */
export function resultOf(
  plan: Plan,
  options: LatencyOptions,
  warmUp: number,
  open: PublishReport,
  reports: readonly SubscribeReport[],
  closed: { publish: PublishReport; reports: readonly SubscribeReport[] } | undefined,
): LatencyResult {
  const failed = open.failed.filter((number) => number >= warmUp).length;
  const distributions = {
    publishMs: Distribution.decode(open.publish),
    publishDelayMs: Distribution.decode(open.publishDelay),
    endToEndMs: merge(reports.map((report) => report.endToEnd)),
    fromPublishMs: merge(reports.map((report) => report.fromPublish)),
    lastOfNMs: lastOfAll(plan, warmUp, open, reports),
  };
  const { publishMs, publishDelayMs, endToEndMs, fromPublishMs, lastOfNMs } = distributions;
  const throughput = closed && throughputOf(plan, closed.publish, closed.reports);
  const roundTripMs = 2 * (options.shaped?.delayMs ?? 0);
  return {
    publishMs: publishMs.quantiles(),
    publishDelayMs: publishDelayMs.quantiles(),
    endToEndMs: endToEndMs.quantiles(),
    fromPublishMs: fromPublishMs.quantiles(),
    lastOfNMs: lastOfNMs.quantiles(),
    sent: open.count - warmUp,
    failed,
    received: sum(reports, (report) => report.received),
    lost: sum(reports, (report) => report.lost),
    duplicated: sum(reports, (report) => report.duplicated),
    reordered: sum(reports, (report) => report.reordered),
    throughputPerSecond: throughput?.perSecond ?? 0,
    throughput: throughput?.result,
    curves: {
      publishMs: publishMs.curve(),
      publishDelayMs: publishDelayMs.curve(),
      endToEndMs: endToEndMs.curve(),
      fromPublishMs: fromPublishMs.curve(),
      lastOfNMs: lastOfNMs.curve(),
    },
    roundTrips:
      roundTripMs === 0
        ? undefined
        : {
            publish: rounded(publishMs.quantiles().p50 / roundTripMs),
            endToEnd: rounded(fromPublishMs.quantiles().p50 / roundTripMs),
          },
    firstError: open.error ?? closed?.publish.error,
    setting: {
      url: redactUrl(options.url),
      ratePerSecond: plan.rate,
      durationS: plan.durationS,
      warmUpS: plan.warmUpS,
      payloadBytes: plan.payloadBytes,
      subscribers: plan.subscribers,
      processes: plan.processes,
      link: plan.link,
      shape: plan.link === 'shaped' ? options.shaped : undefined,
      machine: describeMachine(),
      node: process.version,
      measuredAt: new Date().toISOString(),
    },
  };
}

function throughputOf(
  plan: Plan,
  publish: PublishReport,
  reports: readonly SubscribeReport[],
): { perSecond: number; result: ThroughputResult } {
  const lastMs = Math.max(...reports.map((report) => report.lastMs));
  const distinct = sum(reports, (report) => report.received - report.duplicated);
  const perSubscriber = distinct / plan.subscribers;
  return {
    perSecond: distinct === 0 ? 0 : Math.round((perSubscriber / (lastMs - publish.startMs)) * 1000),
    result: {
      inFlight: plan.inFlight,
      durationS: plan.throughputS,
      sent: publish.count,
      failed: publish.failed.length,
      lost: sum(reports, (report) => report.lost),
    },
  };
}

function lastOfAll(plan: Plan, warmUp: number, open: PublishReport, reports: readonly SubscribeReport[]): Distribution {
  const last = new Distribution();
  const intervalMs = 1000 / plan.rate;
  for (let at = 0; at < open.count - warmUp; at += 1) {
    if (sum(reports, (report) => report.arrivals[at] ?? 0) < plan.subscribers) continue;
    last.add(Math.max(...reports.map((report) => report.lastAtMs[at]!)) - (open.startMs + (at + warmUp) * intervalMs));
  }
  return last;
}

function merge(encoded: readonly string[]): Distribution {
  const merged = new Distribution();
  for (const text of encoded) merged.addAll(Distribution.decode(text));
  return merged;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
