import { parse } from '@marcbachmann/cel-js';
import type { FilterContender } from '../../filter/contender.ts';

export const contender: FilterContender = {
  compile({ type, regions: [one, other], above, prefix }) {
    // Attributes stand behind a name, as `type` alone is a function of CEL.
    const text = `e.type == "${type}" && e.region in ["${one}", "${other}"] && e.priority > ${above} && e.subject.startsWith("${prefix}")`;
    const evaluate = parse(text) as unknown as (context: object) => boolean;
    return (e) => evaluate({ e });
  },
};
