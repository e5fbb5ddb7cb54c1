import type { FilterContender } from '../../filter/contender.ts';

export const contender: FilterContender = {
  compile({ type, regions: [one, other], above, prefix }) {
    return (event) =>
      event.type === type &&
      (event.region === one || event.region === other) &&
      event.priority > above &&
      event.subject.startsWith(prefix);
  },
};
