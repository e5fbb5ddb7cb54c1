import jsonata from 'jsonata';
import type { FilterContender } from '../../filter/contender.ts';

/** Its evaluation is a promise, always. */
export const contender: FilterContender = {
  compile({ type, regions, above, prefix }) {
    const text = `type = "${type}" and region in ["${regions[0]}", "${regions[1]}"] and priority > ${above} and $substring(subject, 0, ${prefix.length}) = "${prefix}"`;
    const expression = jsonata(text);
    return (event) => expression.evaluate(event) as Promise<boolean>;
  },
};
