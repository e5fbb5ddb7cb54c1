import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const conditions = ['polycast-source'];

/** One project a package or app, so that a failure names its room; sibling packages are read from source. */
export default defineConfig({
  test: {
    // Most tests wait more than they work: two files at a time, also on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: process.env.POLYCAST_TEST_COUNTS ? ['default', './scripts/count-reporter.mjs'] : ['default'],
    projects: ['packages', 'apps'].flatMap((folder) =>
      readdirSync(new URL(folder, import.meta.url)).map((name) => ({
        resolve: { conditions },
        ssr: { resolve: { conditions, externalConditions: conditions } },
        test: {
          name,
          root: `${folder}/${name}`,
          include: ['test/**/*.test.ts'],
          testTimeout: 20_000,
          // One second, the default, is short where a service runs beside other tests.
          expect: { poll: { timeout: 10_000 } },
          hookTimeout: 60_000,
        },
      })),
    ),
  },
});
