import { Query } from 'mingo';
import type { FilterContender } from '../../filter/contender.ts';

export const contender: FilterContender = {
  compile({ type, regions, above, prefix }) {
    const query = new Query({
      type,
      region: { $in: [...regions] },
      priority: { $gt: above },
      subject: { $regex: new RegExp(`^${prefix}`) },
    });
    return (event) => query.test(event);
  },
};
