import { type OptionNames, optionsOf } from '../contract/checked-option.ts';
import type { FilterEvent } from './attribute-value.ts';
import { compileCondition, type Predicate } from './compile.ts';
import type { Condition } from './condition.ts';
import { conditionOf } from './condition-of.ts';
import { inOriginalText, type OriginalText, originalText } from './original-text.ts';
import { type FilterInput, parseFilter } from './parse.ts';
import { printFilter } from './print.ts';
import { simplify } from './simplify.ts';
import type { FilterTarget, Pushed, PushOptions, PushReason } from './target.ts';
import type { FilterTree } from './tree.ts';

/** The two parts of a filter: `native.matches(e) && residual.matches(e)` is what the filter says to `e`. */
export interface FilterPlan<Native = unknown> {
  readonly native: NativePart<Native>;
  readonly residual: ResidualPart;
  /** Why each part of the residual could not be pushed down. */
  readonly reasons: readonly PushReason[];
}

/** What the broker evaluates. It never drops an event that passes the filter. */
export interface NativePart<Native = unknown> {
  /** As the broker takes it; undefined when it is to bring every event. */
  readonly value: Native | undefined;
  /** The same, to read. Empty when it brings every event. */
  readonly text: string;
  readonly isEverything: boolean;
  /** What the broker would say to the event, by its own rules. */
  matches(event: FilterEvent): boolean;
  /** Its text. */
  toString(): string;
}

/** What is evaluated where the event arrives. */
export interface ResidualPart {
  readonly tree: FilterTree;
  readonly condition: Condition;
  /** Nothing is left to evaluate: the broker is exact. */
  readonly isEverything: boolean;
  matches(event: FilterEvent): boolean;
  /** CESQL, `TRUE` when nothing is left; JSON where CESQL cannot express it. */
  toString(): string;
}

/** A filter in any of its forms, or a compiled one, whose functions then count. */
export type PlanInput = FilterInput | { readonly condition: Condition; readonly tree?: FilterTree };

const PUSH_OPTIONS: OptionNames<PushOptions> = { types: 1 };

/**
 * Splits a filter into what a broker can evaluate and what is left.
 * @throws PolycastError `invalid-filter`; TypeError for what is not a target
 */
export function planFilter<Native>(
  filter: PlanInput,
  target: FilterTarget<Native>,
  options: PushOptions = {},
): FilterPlan<Native> {
  checkTarget(target);
  optionsOf('planFilter', options, PUSH_OPTIONS);
  const { condition, original } = readInput(filter);
  const pushed = target.push(condition, options);
  const reasons = pushed.reasons.map(({ part, reason }) => ({ part: original.partOf.get(part) ?? part, reason }));
  return { native: new Native(pushed), residual: new Residual(pushed.residual, original), reasons };
}

/** @throws TypeError for what is not a target, such as its name */
function checkTarget(target: FilterTarget): void {
  if (typeof (target as Partial<FilterTarget> | undefined)?.push === 'function') return;
  const given = typeof target === 'string' ? ` "${target}"` : '';
  throw new TypeError(
    `the filter target${given} is not an object with push(): import one from the sub-path /filter-target of an adapter`,
  );
}

function readInput(filter: PlanInput): { readonly condition: Condition; readonly original: OriginalText } {
  const { condition, tree } = filter as { condition?: Condition; tree?: FilterTree };
  if (condition !== undefined) return { condition, original: originalText(tree, condition) };
  const read = simplify(parseFilter(filter as FilterInput));
  const made = conditionOf(read);
  return { condition: made, original: originalText(read, made) };
}

class Native<Value> implements NativePart<Value> {
  readonly #pushed: Pushed<Value>;

  constructor(pushed: Pushed<Value>) {
    this.#pushed = pushed;
  }

  get value(): Value | undefined {
    return this.#pushed.native;
  }

  get text(): string {
    return this.#pushed.text;
  }

  get isEverything(): boolean {
    return this.#pushed.native === undefined;
  }

  matches(event: FilterEvent): boolean {
    return this.#pushed.accepts(event);
  }

  toString(): string {
    return this.#pushed.text;
  }
}

class Residual implements ResidualPart {
  readonly condition: Condition;
  readonly #original: OriginalText;
  #tree: FilterTree | undefined;
  #predicate: Predicate | undefined;

  constructor(condition: Condition, original: OriginalText) {
    this.condition = condition;
    this.#original = original;
  }

  get tree(): FilterTree {
    this.#tree ??= inOriginalText(this.condition, this.#original);
    return this.#tree;
  }

  get isEverything(): boolean {
    return this.condition.kind === 'always';
  }

  matches(event: FilterEvent): boolean {
    this.#predicate ??= compileCondition(this.condition);
    return this.#predicate(event);
  }

  toString(): string {
    return printFilter(this.tree);
  }
}
