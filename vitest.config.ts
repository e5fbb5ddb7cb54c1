import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const conditions = ['polycast-source'];

/** One project a package, so that a failure names its room; sibling packages are read from source. */
export default defineConfig({
  test: {
    reporters: process.env.POLYCAST_TEST_COUNTS ? ['default', './scripts/count-reporter.mjs'] : ['default'],
    projects: readdirSync(new URL('./packages', import.meta.url)).map((name) => ({
      resolve: { conditions },
      ssr: { resolve: { conditions, externalConditions: conditions } },
      test: {
        name,
        root: `packages/${name}`,
        include: ['test/**/*.test.ts'],
        testTimeout: 20_000,
        hookTimeout: 60_000,
      },
    })),
  },
});
