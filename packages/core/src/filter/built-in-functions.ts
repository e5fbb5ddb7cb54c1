import { countCharacters, placeOfCharacter, trimWhiteSpace } from './characters.ts';
import { type FilterFunction, type FilterValue, MAX_INTEGER, MIN_INTEGER } from './tree.ts';

/** What a built-in function gives where it fails: CESQL names a value for it, not always the zero value. */
export class FunctionFailure {
  readonly code: 'math' | 'functionEvaluation';
  readonly message: string;
  readonly value: FilterValue;

  constructor(code: 'math' | 'functionEvaluation', message: string, value: FilterValue) {
    this.code = code;
    this.message = message;
    this.value = value;
  }
}

export interface BuiltInFunction extends Omit<FilterFunction, 'evaluate'> {
  // Arguments have been cast to `takes`, so each function knows the types of its own.
  evaluate(args: readonly never[]): FilterValue | FunctionFailure;
}

/** CESQL 1.0, sections 3.5.1 and 3.5.2, and the casts of 3.7. */
export const BUILT_IN_FUNCTIONS: ReadonlyMap<string, readonly BuiltInFunction[]> = new Map<string, BuiltInFunction[]>([
  ['ABS', [{ takes: ['integer'], gives: 'integer', evaluate: ([value]) => abs(value!) }]],
  ['LENGTH', [{ takes: ['text'], gives: 'integer', evaluate: ([text]) => countCharacters(text!) }]],
  ['CONCAT', [{ takes: [], more: 'text', gives: 'text', evaluate: (texts) => join('CONCAT', '', texts) }]],
  [
    'CONCAT_WS',
    [{ takes: ['text'], more: 'text', gives: 'text', evaluate: ([by, ...texts]) => join('CONCAT_WS', by!, texts) }],
  ],
  ['LOWER', [{ takes: ['text'], gives: 'text', evaluate: ([text]: readonly string[]) => text!.toLowerCase() }]],
  ['UPPER', [{ takes: ['text'], gives: 'text', evaluate: ([text]: readonly string[]) => text!.toUpperCase() }]],
  ['TRIM', [{ takes: ['text'], gives: 'text', evaluate: ([text]) => trimWhiteSpace(text!) }]],
  ['LEFT', [{ takes: ['text', 'integer'], gives: 'text', evaluate: ([text, count]) => left(text!, count!) }]],
  ['RIGHT', [{ takes: ['text', 'integer'], gives: 'text', evaluate: ([text, count]) => right(text!, count!) }]],
  [
    'SUBSTRING',
    [
      {
        takes: ['text', 'integer'],
        gives: 'text',
        evaluate: ([text, position, length]) => substring(text!, position!, length),
      },
      {
        takes: ['text', 'integer', 'integer'],
        gives: 'text',
        evaluate: ([text, position, length]) => substring(text!, position!, length),
      },
    ],
  ],
  // The cast to what the function takes is all there is to do.
  ['INT', [{ takes: ['integer'], gives: 'integer', evaluate: ([value]) => value! }]],
  ['BOOL', [{ takes: ['boolean'], gives: 'boolean', evaluate: ([value]) => value! }]],
  ['STRING', [{ takes: ['text'], gives: 'text', evaluate: ([value]) => value! }]],
]);

function abs(value: number): number | FunctionFailure {
  if (value === MIN_INTEGER)
    return new FunctionFailure('math', 'ABS: 2147483648 does not fit into 32 bits', MAX_INTEGER);
  return Math.abs(value);
}

/** Maximum length of a concatenated string, in UTF-16 code units. Without it, `CONCAT` of many long ones would take all memory. */
const MAX_JOINED = 16_777_216;

function join(name: string, by: string, texts: readonly string[]): string | FunctionFailure {
  const length = texts.reduce((sum, text) => sum + text.length + by.length, 0);
  if (length <= MAX_JOINED) return texts.join(by);
  return new FunctionFailure('functionEvaluation', `${name}: ${length} characters are too many`, '');
}

function left(text: string, count: number): string | FunctionFailure {
  if (count < 0) return new FunctionFailure('functionEvaluation', `LEFT: ${count} characters`, text);
  // No text has more characters than code units.
  return text.length <= count ? text : text.slice(0, placeOfCharacter(text, count));
}

function right(text: string, count: number): string | FunctionFailure {
  if (count < 0) return new FunctionFailure('functionEvaluation', `RIGHT: ${count} characters`, text);
  if (text.length <= count) return text;
  return text.slice(placeOfCharacter(text, countCharacters(text) - count));
}

function substring(text: string, position: number, length = MAX_INTEGER): string | FunctionFailure {
  if (length < 0) return new FunctionFailure('functionEvaluation', `SUBSTRING: the length is ${length}`, '');
  if (position === 0) return '';
  const count = countCharacters(text);
  if (position > count || position < -count) {
    return new FunctionFailure('functionEvaluation', `SUBSTRING: position ${position} of ${count} characters`, '');
  }
  const rest = text.slice(placeOfCharacter(text, position > 0 ? position - 1 : count + position));
  return rest.length <= length ? rest : rest.slice(0, placeOfCharacter(rest, length));
}
