import { LogicEngine } from 'json-logic-engine';
import type { FilterContender } from '../../filter/contender.ts';
import { logicOf } from './json-logic.ts';

const engine = new LogicEngine();
engine.addMethod('starts', ([text, prefix]: [string, string]) => text.startsWith(prefix), { deterministic: true });

export const contender: FilterContender = {
  compile(spec) {
    return engine.build(logicOf(spec)) as unknown as ReturnType<FilterContender['compile']>;
  },
};
