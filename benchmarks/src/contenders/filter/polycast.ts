import { compileFilter } from '@polycast/core/filter';
import type { FilterContender } from '../../filter/contender.ts';
import { cesqlOf } from '../../filter/filters.ts';

export const contender: FilterContender = {
  compile(spec) {
    const filter = compileFilter(cesqlOf(spec));
    return (event) => filter.matches(event);
  },
};
