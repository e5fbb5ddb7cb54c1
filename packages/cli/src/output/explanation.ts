import type { FilterExplanation } from '@polycast/core/filter';
import type { Savings } from '../filter/savings.ts';
import { showCount, showUsd } from './numbers.ts';
import type { Terminal } from './terminal.ts';

/** What one broker makes of a filter, and what that saves. */
export interface Explained extends FilterExplanation {
  readonly savings?: Savings;
}

const LABEL = 11;

/** The filter, what is odd about it, and a paragraph a broker. */
export function showExplanations(explained: readonly Explained[], terminal: Terminal): string {
  const { bold, yellow } = terminal.colors;
  const [first] = explained;
  if (first === undefined) return '';
  const lines = [`${bold('filter'.padEnd(LABEL))}${first.filter}`];
  for (const warning of first.warnings) lines.push(`${yellow('warning'.padEnd(LABEL))}${warning}`);
  for (const each of explained) lines.push('', ...paragraph(each, terminal));
  return `${lines.join('\n')}\n`;
}

function paragraph(explanation: Explained, { colors }: Terminal): readonly string[] {
  const { bold, dim } = colors;
  const { title, target, native, residual, reasons, events, savings } = explanation;
  const verdict = verdictOf(native, residual, colors);
  const lines = [`${bold(title)} ${dim(`(${target})`)} ${verdict}`];
  if (native !== '') lines.push(...labelled('native', native.split('\n')));
  if (residual !== 'TRUE') lines.push(...labelled('local', [residual]));
  for (const [reason, parts] of byReason(reasons)) {
    const all = parts.length === reasons.length && (parts.length > 1 || parts[0] === residual);
    lines.push(...labelled('reason', [all ? reason : `${parts.join(' and ')}: ${reason}`], dim));
  }
  if (events !== undefined && events.count > 0) {
    lines.push(...labelled('brings', [`${percent(events.kept)} of the events; ${percent(events.exact)} pass`]));
  }
  if (savings !== undefined) lines.push(...labelled('saves', [saved(savings)]));
  return lines;
}

function verdictOf(native: string, residual: string, { green, yellow, red }: Terminal['colors']): string {
  if (residual === 'TRUE') return green(native === '' ? 'has nothing to evaluate' : 'evaluates all of it');
  return native === '' ? red('nothing pushed down') : yellow('evaluates a part');
}

/** The parts that one reason is given for. */
function byReason(reasons: FilterExplanation['reasons']): ReadonlyMap<string, readonly string[]> {
  const parts = new Map<string, string[]>();
  for (const { part, reason } of reasons) parts.set(reason, [...(parts.get(reason) ?? []), part]);
  return parts;
}

function labelled(label: string, lines: readonly string[], style = (text: string) => text): string[] {
  return lines.map((line, at) => `  ${(at === 0 ? label : '').padEnd(LABEL - 2)}${style(line)}`);
}

function saved({ deliveries, usd, service }: Savings): string {
  const count = `${showCount(deliveries.saved)} of ${showCount(deliveries.of)} deliveries a month`;
  if (usd === 'not counted') return `${count}; the price model of ${service} does not count filters`;
  if (usd === null) return `${count}; ${service} has no price for this workload`;
  const tiers = usd.tier === usd.tierWithout ? '' : ` (${usd.tier} instead of ${usd.tierWithout})`;
  return `${count}, ${showUsd(usd.saved)} of ${showUsd(usd.of)}${tiers}`;
}

/** 0 to 1 as `12.5 %`. */
function percent(share: number): string {
  return `${showCount(share * 100)} %`;
}
