import siftModule from 'sift';
import type { FilterContender } from '../../filter/contender.ts';

// A CommonJS module whose types say that it is none.
const sift = siftModule as unknown as typeof siftModule.default;

export const contender: FilterContender = {
  compile({ type, regions, above, prefix }) {
    return sift({
      type,
      region: { $in: [...regions] },
      priority: { $gt: above },
      subject: { $regex: new RegExp(`^${prefix}`) },
    }) as ReturnType<FilterContender['compile']>;
  },
};
