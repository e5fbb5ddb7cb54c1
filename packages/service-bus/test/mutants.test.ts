import { describe } from 'vitest';
import { catchEach } from '../../../scripts/mutants.ts';
import { MUTANTS } from './mutants.ts';

describe('each mutant of this adapter is caught, by name', () => catchEach(MUTANTS));
