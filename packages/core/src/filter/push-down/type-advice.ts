import type { TextSet } from './accepted-values.ts';

/** What a user can say so that no text has to be thought of. */
export function typeAdvice(attribute: string, { kind }: TextSet): string {
  if (kind !== 'number' && kind !== 'flag') return '';
  return `; declare ${attribute} ${kind === 'number' ? 'an integer' : 'a boolean'} if it always is one`;
}
