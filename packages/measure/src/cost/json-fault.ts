const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** What may come next. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

/**
 * Where a text stops being JSON (RFC 8259); undefined if it is JSON to the end. `JSON.parse` says that something is wrong,
 * but in most cases not where.
 */
export function jsonFault(text: string): number | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  for (;;) {
    take(SPACE);
    const mark = text[at];
    if (expected === ', or end') {
      const inside = open.at(-1);
      if (inside === undefined) return mark === undefined ? undefined : at;
      if (mark === ',') expected = inside === '{' ? 'key' : 'value';
      else if (mark === (inside === '{' ? '}' : ']')) open.pop();
      else return at;
      at++;
    } else if (expected === ':') {
      if (mark !== ':') return at;
      expected = 'value';
      at++;
    } else if (expected.startsWith('key') && take(STRING)) {
      expected = ':';
    } else if (expected.startsWith('value') && (mark === '{' || mark === '[')) {
      open.push(mark);
      expected = mark === '{' ? 'key or }' : 'value or ]';
      at++;
    } else if (expected.startsWith('value') && (take(STRING) || take(SCALAR))) {
      expected = ', or end';
    } else if ((expected === 'key or }' && mark === '}') || (expected === 'value or ]' && mark === ']')) {
      open.pop();
      expected = ', or end';
      at++;
    } else {
      return at;
    }
  }
}
