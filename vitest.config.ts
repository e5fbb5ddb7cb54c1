import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { defaultExclude, defineConfig } from 'vitest/config';
import { mutate } from './scripts/mutate.ts';

const conditions = ['polycast-source'];

const ON_PUBLIC_FACE = [
  'caught-up',
  'conformance',
  'dead-letter-reason',
  'endpoint',
  'from-url',
  'given-client',
  'group',
  'link',
  'process-end',
  'redrive',
  'rights',
  'sdk-shape',
  'session-feed',
  'web-sockets',
  'wire',
].map((name) => `test/${name}.test.ts`);

/** They use every processor, and are measured: first, and alone. */
const ALONE = ['packages/conformance/test/simulation.test.ts'];

function project(
  name: string,
  root: string,
  include: readonly string[],
  groupOrder: number,
  env: Record<string, string> = {},
) {
  const exclude = groupOrder === 0 ? [] : ALONE.map((file) => relative(root, file));
  return {
    plugins: [mutate(process.env.POLYCAST_MUTANT)],
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: {
      name,
      root,
      env,
      include: [...include],
      exclude: [...defaultExclude, ...exclude],
      sequence: { groupOrder },
      // What is never reached by a test that works, also on a machine that others keep busy.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // One second, the default, is short where a service runs beside other tests.
      expect: { poll: { timeout: 10_000 } },
    },
  };
}

/** One project a package or app, so that a failure names its room; sibling packages are read from source. */
export default defineConfig({
  test: {
    // Most tests wait more than they work: two files at a time, also on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: process.env.POLYCAST_TEST_COUNTS ? ['default', './scripts/count-reporter.mjs'] : ['default'],
    projects: [
      project('alone', '.', ALONE, 0),
      ...['packages', 'apps'].flatMap((folder) =>
        readdirSync(new URL(folder, import.meta.url)).map((name) =>
          project(name, `${folder}/${name}`, ['test/**/*.test.ts'], 1),
        ),
      ),
      // Again, with the vendor's SDK used by its public face alone. Left out is what breaks the SDK beneath it, or looks there.
      project('service-bus public', 'packages/service-bus', ON_PUBLIC_FACE, 1, { POLYCAST_SERVICE_BUS_SDK: 'public' }),
    ],
  },
});
