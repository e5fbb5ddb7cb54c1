import { readAttribute } from '../../core/src/filter/attribute-value.ts';
import {
  describeLaw,
  describeMutants,
  KIT_MUTANTS,
  type PlannerMutant,
  type ReadingsOf,
} from '../../core/test/filter/push-down-law.ts';
import { matchesFilter } from '../src/filter-target/event-grid-filter.ts';
import { type EventGridFilter, eventGrid } from '../src/filter-target.ts';

/** Whether a negated operator matches a value of another type is not documented. */
const readings: ReadingsOf = ({ native }) =>
  [true, false].map(
    (unlikeIsNot) => (event) =>
      (native as readonly EventGridFilter[]).every((filter) =>
        matchesFilter(filter, (key) => readAttribute(event, key), unlikeIsNot),
      ),
  );

const branch: PlannerMutant = {
  does: 'sends one branch of an OR',
  module: new URL('../src/filter-target/event-grid-or.ts', import.meta.url),
  breaks: () => ({ mergeBranches: ([filters]: readonly unknown[]) => ({ filters, exact: false }) }),
};
const { case: letters, types, prefix, presence, residual } = KIT_MUTANTS;

describeLaw(eventGrid, readings);
describeMutants(
  'Event Grid',
  [letters, types, prefix, presence, branch, residual],
  async () => (await import('../src/filter-target.ts')).eventGrid,
  readings,
);
