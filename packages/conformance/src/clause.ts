/** How binding a clause is, in the words of RFC 2119. */
export type Grade = 'MUST' | 'SHOULD' | 'MAY';

/** One numbered sentence of the contract. Numbers are never used again for another sentence. */
export interface Clause {
  /** `<chapter>.<number>`: `addressing.4`. */
  readonly id: string;
  readonly grade: Grade;
  readonly text: string;
}

/** The clauses about one subject. */
export interface Chapter {
  readonly name: string;
  /** One sentence for people. */
  readonly about: string;
  readonly clauses: readonly Clause[];
}

/** Makes a chapter from its sentences; they are numbered in the order given, so a new one goes to the end. */
export function chapter(name: string, about: string, sentences: readonly (readonly [Grade, string])[]): Chapter {
  return { name, about, clauses: sentences.map(([grade, text], at) => ({ id: `${name}.${at + 1}`, grade, text })) };
}
