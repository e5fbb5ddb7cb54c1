import { describeLaw, describeMutants, KIT_MUTANTS } from '../../core/test/filter/push-down-law.ts';
import { comparing, FILTER_TARGETS } from '../src/filter-targets.ts';

for (const target of FILTER_TARGETS) describeLaw(target);
describeMutants(
  comparing.name,
  [KIT_MUTANTS.presence, KIT_MUTANTS.residual],
  async () => (await import('../src/filter-targets.ts')).comparing,
);
