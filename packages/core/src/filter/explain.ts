import { type OptionNames, optionsOf } from '../contract/checked-option.ts';
import { type FilterEvent, readAttribute } from './attribute-value.ts';
import { compileCondition } from './compile.ts';
import { conditionOf } from './condition-of.ts';
import { type FilterInput, parseFilter } from './parse.ts';
import { planFilter } from './plan.ts';
import { printFilter } from './print.ts';
import { simplify } from './simplify.ts';
import type { FilterTarget, PushOptions, PushReason } from './target.ts';
import type { FilterFunctions } from './tree.ts';
import { attributesOf, filterWarnings } from './warnings.ts';

export interface ExplainOptions extends PushOptions {
  /** Functions that the filter may call besides those of CESQL. @default none */
  readonly functions?: FilterFunctions | undefined;
  /** A sample of events, CloudEvents as plain objects, to count on. @default none */
  readonly events?: readonly FilterEvent[] | undefined;
}

const EXPLAIN_OPTIONS: OptionNames<ExplainOptions> = { types: 1, functions: 1, events: 1 };

/** What a target makes of a filter, for people. */
export interface FilterExplanation {
  /** The target's name, and its title. */
  readonly target: string;
  readonly title: string;
  /** The filter, simplified. */
  readonly filter: string;
  /** What the broker evaluates, in its own words; empty when it brings every event. */
  readonly native: string;
  /** What is evaluated where events arrive; `TRUE` when nothing is left. */
  readonly residual: string;
  /** Why each part of the residual could not be pushed down. */
  readonly reasons: readonly PushReason[];
  /** What is likely not meant, in sentences. */
  readonly warnings: readonly string[];
  /** Of the sample: how many events it has, the share that the broker would bring, and the share that passes. */
  readonly events?: { readonly count: number; readonly kept: number; readonly exact: number };
}

/**
 * Tells what a broker evaluates of a filter, what is left, and why.
 * @throws PolycastError `invalid-filter`; TypeError for what is not a target
 */
export function explainFilter(
  filter: FilterInput,
  target: FilterTarget,
  options: ExplainOptions = {},
): FilterExplanation {
  optionsOf('explainFilter', options, EXPLAIN_OPTIONS);
  const tree = parseFilter(filter);
  const simple = simplify(tree);
  const condition = conditionOf(simple, options.functions);
  const { native, residual, reasons } = planFilter(
    { condition, tree: simple },
    target,
    options.types === undefined ? {} : { types: options.types },
  );
  const text = typeof filter === 'string' && !/^\s*\{/.test(filter) ? filter : undefined;
  const { events } = options;
  const present = events === undefined ? undefined : namesIn(events, attributesOf(tree));
  const warnings = filterWarnings(tree, text, { ...options, attributes: present });
  if (present !== undefined && events!.length > 0) {
    for (const attribute of attributesOf(tree)) {
      if (!present.has(attribute)) warnings.push(`no event of the sample has the attribute ${attribute}`);
    }
  }
  return {
    target: target.name,
    title: target.title,
    filter: printFilter(simple),
    native: native.text,
    residual: residual.toString(),
    reasons,
    warnings,
    ...(events !== undefined && {
      events: {
        count: events.length,
        kept: shareOf(events, (event) => native.matches(event)),
        exact: shareOf(events, compileCondition(condition)),
      },
    }),
  };
}

function namesIn(events: readonly FilterEvent[], names: Iterable<string>): ReadonlySet<string> {
  return new Set([...names].filter((name) => events.some((event) => readAttribute(event, name) !== undefined)));
}

/** 0 to 1; 0 of no events. */
function shareOf(events: readonly FilterEvent[], passes: (event: FilterEvent) => boolean): number {
  return events.length === 0 ? 0 : events.filter(passes).length / events.length;
}
