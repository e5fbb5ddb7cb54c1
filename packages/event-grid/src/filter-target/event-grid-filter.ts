import { type FilterValue, foldCase } from '@polycast/core/filter';

export type TextOperator = 'StringIn' | 'StringBeginsWith' | 'StringEndsWith' | 'StringContains';
export type NotTextOperator = 'StringNotIn' | 'StringNotBeginsWith' | 'StringNotEndsWith' | 'StringNotContains';

/** One advanced filter, as the resource manager of Azure takes it. All filters of a subscription must match. */
export type EventGridFilter =
  | { readonly operatorType: TextOperator | NotTextOperator; readonly key: string; readonly values: readonly string[] }
  | { readonly operatorType: 'NumberIn' | 'NumberNotIn'; readonly key: string; readonly values: readonly number[] }
  | {
      readonly operatorType: 'NumberGreaterThanOrEquals' | 'NumberLessThanOrEquals';
      readonly key: string;
      readonly value: number;
    }
  | {
      readonly operatorType: 'NumberInRange' | 'NumberNotInRange';
      readonly key: string;
      readonly values: readonly (readonly [number, number])[];
    }
  | { readonly operatorType: 'BoolEquals'; readonly key: string; readonly value: boolean }
  | { readonly operatorType: 'IsNotNull' | 'IsNullOrUndefined'; readonly key: string };

/** Most filters, and most values in all of them together; a range is counted as two. */
export const MAX_FILTERS = 25;
export const MAX_VALUES = 25;
/** Longest text value, in characters. */
export const MAX_TEXT = 512;

export function countValues(filter: EventGridFilter): number {
  if ('value' in filter) return 1;
  if (!('values' in filter)) return 0;
  const isRange = filter.operatorType === 'NumberInRange' || filter.operatorType === 'NumberNotInRange';
  return filter.values.length * (isRange ? 2 : 1);
}

/** What an event says at a key; undefined or null where it has none. */
export type EventGridEvent = (key: string) => FilterValue | undefined;

/**
 * What Event Grid says to an event: texts compare without case, values of one filter are alternatives but for the negated
 * operators, and where the key is missing those match and the others do not.
 *
 * @param unlikeIsNot does a negated operator match a value of another type? The vendor does not say.
 * @see https://learn.microsoft.com/azure/event-grid/event-filtering, "Advanced filtering"
 */
export function matchesFilter(filter: EventGridFilter, event: EventGridEvent, unlikeIsNot = true): boolean {
  const found = event(filter.key);
  switch (filter.operatorType) {
    case 'IsNotNull':
      return found !== undefined;
    case 'IsNullOrUndefined':
      return found === undefined;
    case 'BoolEquals':
      return found === filter.value;
    case 'NumberIn':
      return typeof found === 'number' && filter.values.includes(found);
    case 'NumberNotIn':
      if (found === undefined) return true;
      return typeof found === 'number' ? !filter.values.includes(found) : unlikeIsNot;
    case 'NumberGreaterThanOrEquals':
      return typeof found === 'number' && found >= filter.value;
    case 'NumberLessThanOrEquals':
      return typeof found === 'number' && found <= filter.value;
    case 'NumberInRange':
      return typeof found === 'number' && filter.values.some(([low, high]) => found >= low && found <= high);
    case 'NumberNotInRange':
      if (found === undefined) return true;
      return typeof found === 'number'
        ? filter.values.every(([low, high]) => found < low || found > high)
        : unlikeIsNot;
    default:
      return matchesText(filter, found, unlikeIsNot);
  }
}

function matchesText(
  {
    operatorType,
    values,
  }: { readonly operatorType: TextOperator | NotTextOperator; readonly values: readonly string[] },
  found: FilterValue | undefined,
  unlikeIsNot: boolean,
): boolean {
  const negated = operatorType.startsWith('StringNot');
  if (found === undefined) return negated;
  if (typeof found !== 'string') return negated && unlikeIsNot;
  const text = foldCase(found);
  const fits = values.some((value) => {
    const wanted = foldCase(value);
    switch (operatorType) {
      case 'StringIn':
      case 'StringNotIn':
        return text === wanted;
      case 'StringBeginsWith':
      case 'StringNotBeginsWith':
        return text.startsWith(wanted);
      case 'StringEndsWith':
      case 'StringNotEndsWith':
        return text.endsWith(wanted);
      default:
        return text.includes(wanted);
    }
  });
  return fits !== negated;
}
