/** The first JSON syntax error in a string: line and column, from 1, and the problem. Undefined for valid JSON. */
export function findJsonFault(text: string): { line: number; column: number; reason: string } | undefined {
  let at = 0;
  let reason = '';

  const space = () => {
    while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++;
  };
  const fail = (why: string): false => {
    reason = why;
    return false;
  };
  const token = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found !== null;
  };
  const list = (end: string, item: () => boolean): boolean => {
    at++;
    space();
    if (text[at] === end) {
      at++;
      return true;
    }
    for (;;) {
      if (!item()) return false;
      space();
      if (text[at] === end) {
        at++;
        return true;
      }
      if (text[at] !== ',') return fail(`expected "," or "${end}"`);
      at++;
      space();
      if (text[at] === end) return fail(`unexpected "," before "${end}"`);
    }
  };
  const string = (): boolean => {
    if (text[at] !== '"') return fail('expected a name or string in double quotes');
    return token(TEXT) || fail('unterminated string or invalid escape');
  };
  const member = (): boolean => {
    if (!string()) return false;
    space();
    if (text[at] !== ':') return fail('expected ":"');
    at++;
    return value();
  };
  const value = (): boolean => {
    space();
    if (text[at] === '{') return list('}', member);
    if (text[at] === '[') return list(']', value);
    if (text[at] === '"') return string();
    if (token(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y)) return true;
    return fail(at >= text.length ? 'unexpected end of file' : 'expected a value (JSON has no comments)');
  };

  if (value()) {
    space();
    if (at >= text.length) return undefined;
    reason = 'expected end of file';
  }
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1, reason };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in text
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
