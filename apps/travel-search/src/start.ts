import type { ChildProcess } from 'node:child_process';
import type { Signal, Subscription } from '@polycast/core';
import { aggregate } from './aggregator.ts';
import { crash, fallSilent, startDoomed } from './fault.ts';
import { isService } from './offers.ts';
import { type Plan, UsageError } from './plan.ts';
import { serve } from './service.ts';
import { join, ROLES, type Role, type Travel } from './travel.ts';
import { startWeb, type WebTier } from './web.ts';

/** A search that takes longer than this to end is left to another instance. */
const DRAIN_MS = 1_000;

export interface Running {
  /** `flights-2k9q…` and so on: those that run in this process. */
  readonly instances: readonly string[];
  /** Where the page is, for each web instance. */
  readonly pages: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts what the plan says; resolves when all of it listens. @param print hears of what happens afterwards
 * @throws UsageError, and whatever `connect` throws: then nothing is left running
 */
export async function start(plan: Plan, print: (line: string) => void): Promise<Running> {
  const travels: Travel[] = [];
  const webs: WebTier[] = [];
  const subscriptions: Subscription[] = [];
  const children: ChildProcess[] = [];

  const inProcess = await reachesThisProcessOnly(plan);
  if (inProcess && plan.role !== undefined) {
    throw new UsageError('--role: this transport connects no other process; choose another --url');
  }

  const open = async (role: Role, index: number): Promise<void> => {
    const doomed = role === plan.kill && index === 0;
    if (doomed && plan.role === undefined && !inProcess) {
      const child = await startDoomed(role, plan);
      child.once('exit', (_, signal) => print(`${role}: one instance is gone (${signal ?? 'it ended'})`));
      children.push(child);
      return;
    }
    const { url, topic } = plan;
    const travel = await join({ url, topic, onSignal: (signal) => print(`${role}: ${describe(signal)}`) }, role);
    travels.push(travel);
    const onTaken = doomed ? (inProcess ? silently(travel, print) : crash) : undefined;
    if (isService(role)) subscriptions.push(await serve(travel, role, { latencyMs: plan.slowMs[role], onTaken }));
    else if (role === 'aggregator') subscriptions.push(await aggregate(travel, { onTaken }));
    else {
      const port = plan.port === 0 ? 0 : plan.port + index;
      webs.push(await startWeb(travel, { port, deadlineMs: plan.deadlineMs }));
    }
  };

  const close = async (): Promise<void> => {
    await Promise.all(webs.map((web) => web.close()));
    for (const child of children) if (child.connected) child.disconnect();
    // What is being worked on first: a handler that asks others needs its broadcaster until it is done.
    await Promise.all(subscriptions.map((subscription) => subscription.close({ drainMs: DRAIN_MS })));
    await Promise.all(travels.map((travel) => travel.close({ drainMs: DRAIN_MS })));
  };

  const roles = plan.role === undefined ? ROLES : [plan.role];
  const opening = roles.flatMap((role) => Array.from({ length: plan.instances }, (_, index) => open(role, index)));
  const failed = (await Promise.allSettled(opening)).find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  return {
    instances: travels.map(({ self }) => self.instance).sort(),
    pages: webs.map(({ url }) => url),
    close,
  };
}

/** Says, too, whether the service can be reached at all, before twelve instances try. */
async function reachesThisProcessOnly({ url, topic }: Plan): Promise<boolean> {
  await using probe = await join({ url, topic }, 'web');
  return probe.manifest.via === 'process';
}

function silently({ self }: Travel, print: (line: string) => void): () => Promise<never> {
  return () => {
    print(`${self.role}: ${self.instance} stopped responding`);
    return fallSilent();
  };
}

function describe(signal: Signal): string {
  const reason = 'error' in signal ? signal.error.message : 'reason' in signal ? signal.reason : '';
  return reason === '' ? signal.kind : `${signal.kind} (${reason})`;
}
