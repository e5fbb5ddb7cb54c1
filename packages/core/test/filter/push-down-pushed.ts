import { conditionOf } from '../../src/filter/condition-of.ts';
import { treeOf } from '../../src/filter/condition-tree.ts';
import { parseFilter } from '../../src/filter/parse.ts';
import { printFilter } from '../../src/filter/print.ts';
import type { FilterTarget, PushOptions } from '../../src/filter/target.ts';

const DECLARED: PushOptions = { types: { priority: 'integer', region: 'text', urgent: 'boolean', table: 'integer' } };

/** What a target makes of a filter, in the form that tests compare. */
export function pushedTo(target: FilterTarget, filter: string, options: PushOptions = DECLARED) {
  const { text, residual, reasons, native } = target.push(conditionOf(parseFilter(filter)), options);
  return { text, left: printFilter(treeOf(residual)), reasons: reasons.map(({ reason }) => reason), native };
}

/** `'order.number.0', 'order.number.1', …` */
export const listOf = (count: number) => Array.from({ length: count }, (_, at) => `'order.number.${at}'`).join(', ');
