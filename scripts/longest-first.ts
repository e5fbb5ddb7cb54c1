import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those of more than half a minute, longest first. Another order is as right: it only takes longer. */
const LONG = [
  'service-bus/test/conformance',
  'redis/test/conformance',
  'redis/test/idle-budget',
  'redis/test/mutants',
  'redis/test/soak',
  'cli/test/sdk-versions',
  'cli/test/compare-conformance',
  'memory/test/soak',
  'service-bus/test/faults/no-trace',
  'conformance/test/mutants',
  'service-bus/test/soak',
  'redis/test/replica',
  'service-bus/test/group',
  'cli/test/redis',
  'cli/test/packed',
  'service-bus/test/faults/order',
  'service-bus/test/filter-target/law',
].map((name) => `/packages/${name}.test.ts`);

/** Begins with what takes long, so that no worker is left alone with it at the end. A fresh clone knows no times of its own. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    return (await super.sort(files)).sort((a, b) => groupOf(a) - groupOf(b) || placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONG.findIndex((end) => moduleId.endsWith(end));
  return place < 0 ? LONG.length : place;
}
