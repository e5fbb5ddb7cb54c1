import { type OptionNames, optionsOf } from '../contract/checked-option.ts';
import type { FilterEvent } from './attribute-value.ts';
import { compileCondition, type Predicate } from './compile.ts';
import type { Condition } from './condition.ts';
import { conditionOf } from './condition-of.ts';
import { evaluateTree } from './evaluate.ts';
import { checkFilter } from './filter-faults.ts';
import { type FilterInput, parseFilter } from './parse.ts';
import { printFilter } from './print.ts';
import { simplify } from './simplify.ts';
import type { FilterFunctions, FilterTree } from './tree.ts';

export interface FilterOptions {
  /** Functions that filters may call besides those of CESQL. @default none */
  readonly functions?: FilterFunctions | undefined;
}

const FILTER_OPTIONS: OptionNames<FilterOptions> = { functions: 1 };

/** A filter that was read and checked. Its other forms are made when first asked for. */
export class CompiledFilter {
  /** Simplified: the same for every event, but not always as written. */
  readonly tree: FilterTree;
  /** Those that it may call besides those of CESQL. */
  readonly functions: FilterFunctions | undefined;
  #condition: Condition | undefined;
  #predicate: Predicate | undefined;

  /** For {@link compileFilter}. */
  constructor(tree: FilterTree, functions: FilterFunctions | undefined) {
    this.tree = tree;
    this.functions = functions;
  }

  /** When an event passes, as a formula of tests. */
  get condition(): Condition {
    this.#condition ??= conditionOf(this.tree, this.functions);
    return this.#condition;
  }

  /** Does the event pass: is the value of the filter the boolean true, without an error on the way? Never throws. */
  matches(event: FilterEvent): boolean {
    this.#predicate ??= compileCondition(this.condition);
    try {
      return this.#predicate(event);
    } catch {
      // The event has getters that throw: those attributes are absent, which the closures take no time to find out.
      const { value, error } = evaluateTree(this.tree, event, this.functions);
      return error === undefined && value === true;
    }
  }

  /** The filter as CESQL text, or as JSON where CESQL has no words for it. `parseFilter` reads both. */
  toString(): string {
    return printFilter(this.tree);
  }
}

/**
 * Reads a filter in any of its forms and checks that it can pass an event at all.
 * @throws PolycastError `invalid-filter`: it cannot be read, it calls a function that does not exist, or its value is never
 * a boolean.
 */
export function compileFilter(input: FilterInput, options?: FilterOptions): CompiledFilter {
  optionsOf('compileFilter', options, FILTER_OPTIONS);
  if (input instanceof CompiledFilter && options === undefined) return input;
  const tree = parseFilter(input);
  checkFilter(tree, options?.functions);
  return new CompiledFilter(simplify(tree), options?.functions);
}
