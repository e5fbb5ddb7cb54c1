import { Lexer } from './lexer.ts';

/**
 * Do AND, OR and XOR stand side by side without brackets? CESQL reads them from the left, where SQL ranks AND above OR.
 * @param text CESQL that can be parsed
 */
export function hasMixedLogic(text: string): boolean {
  const around: (string | undefined)[] = [];
  let operator: string | undefined;
  for (const lexer = new Lexer(text); lexer.kind !== 'end'; lexer.next()) {
    const { kind, what } = lexer;
    if (kind === 'symbol' && what === '(') {
      around.push(operator);
      operator = undefined;
    } else if (kind === 'symbol' && what === ')') operator = around.pop();
    else if (kind === 'symbol' && what === ',') operator = undefined;
    else if (kind === 'keyword' && (what === 'AND' || what === 'OR' || what === 'XOR')) {
      if (operator !== undefined && operator !== what) return true;
      operator = what;
    }
  }
  return false;
}
