import type { SpeedScale } from '../measurement/calibration.ts';
import { cellOf, short, times } from '../measurement/table.ts';
import { HANDWRITTEN, LIBRARIES, type Measured, medianTime, OURS, type Page, timesOf } from './filter-suite.ts';
import { cesqlOf, EXAMPLE } from './filters.ts';

const MAX_SLOWER = 2.5;
const MAX_COMPILE_US = 20;

export function predicatePage({ predicates }: Measured, scale: SpeedScale): Page {
  const names = [...predicates.keys()].sort((a, b) => ns(a, 'mixed') - ns(b, 'mixed'));
  const libraries = LIBRARIES.filter((name) => predicates.has(name));
  function ns(name: string, kind: 'mixed' | 'passing' | 'compile'): number {
    return medianTime(scale, predicates.get(name)?.[kind]);
  }
  const slower = (kind: 'mixed' | 'passing') => ns(OURS, kind) / ns(HANDWRITTEN, kind);
  const best = Math.min(...libraries.map((name) => ns(name, 'mixed')));
  const bestPassing = Math.min(...libraries.map((name) => ns(name, 'passing')));
  const lead = Math.min(best / ns(OURS, 'mixed'), bestPassing / ns(OURS, 'passing'));
  const compileUs = ns(OURS, 'compile');
  return {
    tables: [
      {
        title: 'One filter, one event',
        columns: ['contender', 'ns, mixed events', 'ns, all clauses true', 'compile, µs'],
        rows: names.map((name) => [
          name,
          ...(['mixed', 'passing', 'compile'] as const).map((kind) =>
            cellOf(timesOf(scale, predicates.get(name)![kind]), timesOf(scale, predicates.get(OURS)![kind]), true),
          ),
        ]),
        notes: [
          `\`${cesqlOf(EXAMPLE)}\`, on events of eight attributes.`,
          'Ratios are to `polycast`, above 1 is faster; p10–p90 in brackets. Compiled: 10,000 different filters in a row, each until its first answer.',
        ],
      },
    ],
    goals: [
      ...(['mixed', 'passing'] as const).map((kind) => ({
        goal: `${kind} events: at most ${MAX_SLOWER}× the time of a handwritten closure`,
        measured: times(slower(kind)),
        met: slower(kind) <= MAX_SLOWER,
      })),
      ...(libraries.length === 0
        ? []
        : [{ goal: 'faster than every library', measured: `${times(lead)} the best of them`, met: lead > 1 }]),
      {
        goal: `compile in at most ${MAX_COMPILE_US} µs`,
        measured: `${short(compileUs)} µs`,
        met: compileUs <= MAX_COMPILE_US,
      },
    ],
  };
}
