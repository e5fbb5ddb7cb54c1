/**
 * What a broadcaster needs of the filter language, in a module of its own: it is loaded when the first filter is set, so
 * that a browser which uses none does not download it.
 */
import { type CompiledFilter, compileFilter } from './filter.ts';
import { FilterIndex } from './index/filter-index.ts';
import { type FilterInput, parseFilter } from './parse.ts';
import type { FilterTarget } from './target.ts';

/** What a subscription does with its filter. */
export interface SubscriptionFilter {
  readonly compiled: CompiledFilter;
  /** The service's part, as its target writes it; undefined: the service brings every event. */
  readonly native: unknown;
  /** For subscriptions that share a source. */
  newIndex<Id>(): FilterIndex<Id>;
}

/**
 * @param type only events of this type, if it is given
 * @throws PolycastError `invalid-filter`
 */
export function subscriptionFilter(
  input: FilterInput | undefined,
  target: FilterTarget | undefined,
  type?: string,
): SubscriptionFilter {
  const compiled = type === undefined ? compileFilter(input as FilterInput) : filterOfType(type, input);
  const native = target?.push(compiled.condition, {}).native;
  return { compiled, native, newIndex: () => new FilterIndex() };
}

function filterOfType(type: string, also: FilterInput | undefined): CompiledFilter {
  const exact = parseFilter({ exact: { type } });
  if (also === undefined) return compileFilter(exact);
  const { tree, functions } = compileFilter(also);
  // The type first: what the rest makes of events of other types does not matter.
  return compileFilter({ kind: 'and', of: [exact, tree] }, { functions });
}
