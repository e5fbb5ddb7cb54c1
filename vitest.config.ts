import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { defaultExclude, defineConfig, type Plugin } from 'vitest/config';
import { LongestFirst } from './scripts/longest-first.ts';
import type { Mutant } from './scripts/mutants.ts';
import { keepApart, mutate } from './scripts/mutate.ts';

/** Most tests wait more than they work, a quarter to a half of a processor each: three files at a time, also on two cores. */
const WORKERS = Math.max(3, availableParallelism() - 1);

/** Not for mutants: what waits in vain is what they are caught by. */
const PATIENCE = new URL('scripts/patience.ts', import.meta.url).pathname;

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
  'session-receiver',
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
  { env = {}, plugins = [] }: { env?: Record<string, string>; plugins?: Plugin[] } = {},
) {
  const exclude = groupOrder === 0 ? [] : ALONE.map((file) => relative(root, file));
  return {
    plugins,
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
      setupFiles: [PATIENCE],
      // One second, the default, is short where a service runs beside other tests.
      expect: { poll: { timeout: 10_000 } },
    },
  };
}

/** One project a mutant, with its changes: what scripts/run-mutants.mjs runs. @param path of their list */
function withMutants(path: string) {
  const mutants: readonly Mutant[] = JSON.parse(readFileSync(path, 'utf8'));
  const changed = keepApart(mutants.flatMap(({ patches }) => patches));
  // Each project transforms for itself: what none of them changes they take from here.
  const shared = { fsModuleCache: true, fsModuleCachePath: join(dirname(path), 'modules') };
  return defineConfig({
    test: {
      // Other files run beside them.
      maxWorkers: 2,
      experimental: shared,
      projects: mutants.map(({ name, patches, caughtBy }) => {
        const one = project(name, `packages/${caughtBy.project}`, [caughtBy.file], 1, {
          plugins: [mutate(patches), changed],
        });
        return { ...one, test: { ...one.test, setupFiles: [], experimental: shared } };
      }),
    },
  });
}

/** One project a package or app, so that a failure names its room; sibling packages are read from source. */
const everything = defineConfig({
  test: {
    maxWorkers: WORKERS,
    sequence: { sequencer: LongestFirst },
    reporters: process.env.POLYCAST_TEST_COUNTS ? ['default', './scripts/count-reporter.mjs'] : ['default'],
    projects: [
      project('alone', '.', ALONE, 0),
      ...['packages', 'apps', 'examples'].flatMap((folder) =>
        readdirSync(new URL(folder, import.meta.url)).map((name) =>
          project(name, `${folder}/${name}`, ['test/**/*.test.ts'], 1),
        ),
      ),
      // Again, with the vendor's SDK used by its public face alone. Left out is what breaks the SDK beneath it, or looks there.
      project('service-bus public', 'packages/service-bus', ON_PUBLIC_FACE, 1, {
        env: { POLYCAST_SERVICE_BUS_SDK: 'public' },
      }),
    ],
  },
});

export default process.env.POLYCAST_MUTANTS ? withMutants(process.env.POLYCAST_MUTANTS) : everything;
