import { PolycastError } from '../error.ts';

/** Deepest nesting of arrays and objects that is read or written. */
export const MAX_DEPTH = 64;

/** Parses JSON that came off a wire. @throws PolycastError `corrupt-event` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PolycastError('corrupt-event', 'not JSON', { cause });
  }
}
