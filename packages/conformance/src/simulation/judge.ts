import type { History } from './history.ts';
import { profileOf } from './profile.ts';
import {
  afterClose,
  closeOwes,
  duplicate,
  expired,
  expiryCounted,
  lost,
  overlap,
  selfWait,
  settledEarly,
  stuck,
} from './rules/delivery.ts';
import { gaps, unannounced } from './rules/gaps.ts';
import { life } from './rules/life.ts';
import { keyOrder, keyOverlap, order, retryOrder } from './rules/order.ts';
import { attempts, bounded, deadLettered, givenUp, patient, tries } from './rules/tries.ts';
import { type Rule, viewsOf } from './rules/view.ts';
import type { Trace } from './trace.ts';

const RULES: readonly Rule[] = [
  lost,
  stuck,
  duplicate,
  overlap,
  afterClose,
  expired,
  expiryCounted,
  closeOwes,
  selfWait,
  retryOrder,
  patient,
  order,
  keyOrder,
  keyOverlap,
  tries,
  attempts,
  deadLettered,
  givenUp,
  bounded,
  gaps,
  unannounced,
];

/** Those that look at what is for an instance, past the group of its subscription. The others look at both together. */
const BESIDE_A_GROUP: readonly Rule[] = [
  lost,
  stuck,
  settledEarly,
  expiryCounted,
  order,
  keyOrder,
  tries,
  attempts,
  gaps,
  unannounced,
];

/** @returns what the run shows to be broken, each with the name of the rule first; empty if nothing is */
export function judge(history: History, trace: Trace): readonly string[] {
  const profile = profileOf(history.profile);
  const wrong = [...trace.wrong, ...life(trace)];
  for (const sub of trace.subscriptions.values()) {
    if (sub.openedAt === undefined) continue;
    for (const view of viewsOf(trace, profile, sub)) {
      for (const rule of view.part === 'instance' ? BESIDE_A_GROUP : RULES) wrong.push(...rule(view));
    }
  }
  return wrong;
}

/** The name of the rule that a finding breaks. */
export function ruleOf(finding: string): string {
  return finding.slice(0, finding.indexOf(':'));
}
