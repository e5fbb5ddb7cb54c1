import { describeLaw, describeMutants, KIT_MUTANTS, type ReadingsOf } from '../../../core/test/filter/push-down-law.ts';
import { messageOf } from '../../src/filter-target/service-bus-columns.ts';
import { evaluateSql } from '../../src/filter-target/sql-evaluate.ts';
import { type ServiceBusSqlFilter, serviceBusCorrelation, serviceBusSql } from '../../src/filter-target.ts';

/** What the vendor's pages leave open: unlike types, and what LIKE does with case and with `_`. */
const readings: ReadingsOf = ({ native }) => {
  const { formula } = native as ServiceBusSqlFilter;
  return [undefined, false as const].flatMap((unlike) =>
    [true, false].flatMap((likeFoldsCase) =>
      [true, false].map((underscoreIsUnit) => {
        const reading = { unlike, likeFoldsCase, underscoreIsUnit };
        return (event: Readonly<Record<string, unknown>>) => evaluateSql(formula, messageOf(event), reading) === true;
      }),
    ),
  );
};

const { case: letters, types, prefix, presence, formula, residual } = KIT_MUTANTS;

describeLaw(serviceBusSql, readings);
describeLaw(serviceBusCorrelation);
describeMutants(
  'SQL filters',
  [letters, types, prefix, presence, formula, residual],
  async () => (await import('../../src/filter-target.ts')).serviceBusSql,
  readings,
);
describeMutants(
  'correlation filters',
  [types, residual],
  async () => (await import('../../src/filter-target.ts')).serviceBusCorrelation,
);
