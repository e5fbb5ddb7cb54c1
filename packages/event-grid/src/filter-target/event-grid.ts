import {
  type Condition,
  type FilterTarget,
  type PushOptions,
  type PushReason,
  readAttribute,
  reasonFor,
  type Share,
  splitCondition,
} from '@polycast/core/filter';
import { countValues, type EventGridFilter, MAX_FILTERS, MAX_VALUES, matchesFilter } from './event-grid-filter.ts';
import { mergeBranches } from './event-grid-or.ts';
import { filtersOfTest, NO_EVENT } from './event-grid-test.ts';

/**
 * Advanced filters of an Event Grid subscription (CloudEvents schema): an AND of lists of alternatives, 25 filters with 25
 * values in all, texts of 512 characters. Texts always compare without case, so a text with letters is sent and stays in
 * the residual; negated, it is not sent. A missing key matches a negated filter, so `IsNotNull` goes with it.
 *
 * @see https://learn.microsoft.com/azure/event-grid/event-filtering
 */
export const eventGrid: FilterTarget<readonly EventGridFilter[]> = {
  name: 'event-grid',
  title: 'Event Grid, advanced filters',
  push(condition, options) {
    const { natives, residual, reasons } = splitCondition<readonly EventGridFilter[]>(condition, {
      share: (part, coarse) => share(part, options, coarse),
      fits,
      tooMuch: (part) =>
        reasonFor(part, `a subscription is limited to ${MAX_FILTERS} filters with ${MAX_VALUES} values`),
    });
    const filters = distinct(natives.flat());
    return {
      native: natives.length === 0 ? undefined : filters,
      text: natives.length === 0 ? '' : filters.map((filter) => JSON.stringify(filter)).join('\n'),
      residual,
      reasons,
      accepts: (event) => filters.every((filter) => matchesFilter(filter, (key) => readAttribute(event, key))),
    };
  },
};

function share(part: Condition, options: PushOptions, coarse: boolean): Share<readonly EventGridFilter[]> {
  const reasons: PushReason[] = [];
  const filters = filtersOf(part, options, coarse, reasons);
  return { native: filters.length === 0 ? undefined : filters, exact: reasons.length === 0, reasons };
}

function filtersOf(
  condition: Condition,
  options: PushOptions,
  coarse: boolean,
  reasons: PushReason[],
): readonly EventGridFilter[] {
  switch (condition.kind) {
    case 'always':
      return [];
    case 'never':
      return [NO_EVENT];
    case 'all':
      return distinct(condition.of.flatMap((part) => filtersOf(part, options, coarse, reasons)));
    case 'any': {
      const branches = condition.of.map((part) => filtersOf(part, options, coarse, reasons));
      const { filters, exact } = mergeBranches(branches);
      if (!exact) reasons.push(reasonFor(condition, 'Event Grid supports OR only among the values of one attribute'));
      return filters;
    }
    default: {
      const { filters, reason } = filtersOfTest(condition, options, coarse);
      if (reason !== undefined) reasons.push(reasonFor(condition, reason));
      return filters;
    }
  }
}

function fits(natives: readonly (readonly EventGridFilter[])[]): boolean {
  const filters = distinct(natives.flat());
  return filters.length <= MAX_FILTERS && filters.reduce((sum, filter) => sum + countValues(filter), 0) <= MAX_VALUES;
}

/** Without filters that are there already, such as the `IsNotNull` of two negated ones. */
function distinct(filters: readonly EventGridFilter[]): readonly EventGridFilter[] {
  return [...new Map(filters.map((filter) => [JSON.stringify(filter), filter])).values()];
}
