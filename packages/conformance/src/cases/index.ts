import type { ConformanceCase } from '../case.ts';
import { addressingCases } from './addressing.ts';

/** Every case, in the order of the chapters. */
export const CASES: readonly ConformanceCase[] = [...addressingCases];
