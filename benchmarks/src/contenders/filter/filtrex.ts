import { compileExpression } from 'filtrex';
import type { FilterContender } from '../../filter/contender.ts';

const extraFunctions = { starts: (text: string, prefix: string) => text.startsWith(prefix) };

export const contender: FilterContender = {
  compile({ type, regions, above, prefix }) {
    const text = `type == "${type}" and region in ("${regions[0]}", "${regions[1]}") and priority > ${above} and starts(subject, "${prefix}")`;
    return compileExpression(text, { extraFunctions }) as unknown as ReturnType<FilterContender['compile']>;
  },
};
