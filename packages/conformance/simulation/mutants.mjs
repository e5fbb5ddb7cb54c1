/** Faults of core, put back by changing its text. Each is caught by one of the rules that it names. */
export const MUTANTS = [];
