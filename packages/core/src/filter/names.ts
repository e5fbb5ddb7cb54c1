import { PolycastError } from '../contract/error.ts';
import { KEYWORDS } from './lexer.ts';
import { quote } from './syntax-error.ts';

/** Why a filter cannot name an attribute so, as a sentence about the name; undefined when it can. */
export function attributeFault(name: string): string | undefined {
  if (name === 'data') return 'is not an attribute: filters cannot access the data';
  if (name === '') return 'is empty';
  if (!/^[a-z0-9]+$/.test(name)) {
    const near = name.toLowerCase().replace(/[^a-z0-9]/g, '');
    const hint = near !== '' && attributeFault(near) === undefined ? `; did you mean ${quote(near)}?` : '';
    return `is not an attribute name: use lower-case letters and digits${hint}`;
  }
  if (/^\d+$/.test(name)) return 'would be read as an integer';
  if (KEYWORDS.has(name.toUpperCase())) return 'is a reserved word and cannot name an attribute';
  return undefined;
}

/** @throws PolycastError `invalid-filter` when no filter can name an attribute so. */
export function checkAttribute(name: unknown): string {
  if (typeof name !== 'string') throw new PolycastError('invalid-filter', 'an attribute name must be a string');
  const fault = attributeFault(name);
  if (fault !== undefined) throw new PolycastError('invalid-filter', `${quote(name)} ${fault}`);
  return name;
}

/** Letters and `_`, a letter first. */
export function isFunctionName(name: string): boolean {
  return /^[A-Za-z][A-Za-z_]*$/.test(name) && !KEYWORDS.has(name.toUpperCase());
}
