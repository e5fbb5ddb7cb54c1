import { createRequire } from 'node:module';
import type { FilterContender } from '../../filter/contender.ts';
import { logicOf } from './json-logic.ts';

interface JsonLogic {
  add_operation(name: string, run: (text: string, prefix: string) => boolean): void;
  apply(logic: unknown, data: unknown): boolean;
}

// It brings no types.
const engine = createRequire(import.meta.url)('json-logic-js') as JsonLogic;
engine.add_operation('starts', (text, prefix) => text.startsWith(prefix));

export const contender: FilterContender = {
  compile(spec) {
    const logic = logicOf(spec);
    return (event) => engine.apply(logic, event);
  },
};
