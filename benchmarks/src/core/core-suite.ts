import { runAlone } from '../measurement/child.ts';
import { median, quantile } from '../measurement/statistics.ts';
import { short } from '../measurement/table.ts';
import type { Suite } from '../suite.ts';
import { readWorkload } from '../workload.ts';
import { bundleSize } from './bundle-size.ts';

interface CoreWorkload {
  readonly imports: number;
  readonly subscriptions: number;
  readonly cycles: number;
}

const PROGRAMS = {
  'core and memory, connect()': `import { connect } from '@polycast/core'; import { memory } from '@polycast/memory';
    globalThis.start = (topic) => connect({ transport: memory(), topic });`,
  'all of core and memory': `import * as core from '@polycast/core'; import * as memory from '@polycast/memory';
    globalThis.all = { core, memory };`,
} as const;
const MAX_GZIP_BYTES = 25 * 1024;
const MAX_IMPORT_MS = 30;
const MAX_SUBSCRIPTION_BYTES = 1024;
/** V8's own lists (compiled code, inline caches) still grow a little after a warm-up; a leak of one pointer a cycle would be 8 MB. */
const MAX_GROWTH_BYTES = 512 * 1024;

export const coreSuite: Suite = async ({ quick, progress }) => {
  const workload = readWorkload<CoreWorkload>('core');
  progress('core: bundle size');
  const sizes = await Promise.all(Object.values(PROGRAMS).map(bundleSize));

  const importsMs: Record<string, number[]> = {};
  const packages = ['@polycast/core', '@polycast/memory', '@polycast/redis', 'ioredis', 'node:events'];
  for (let round = 0; round <= (quick ? 5 : workload.imports); round += 1) {
    for (const name of packages) {
      progress(`core: import ${name}, round ${round}`);
      const ms = await runAlone<number>(new URL('./import-process.js', import.meta.url), [name]);
      // The first round brings the files into the page cache.
      if (round > 0) importsMs[name] = [...(importsMs[name] ?? []), ms];
    }
  }

  progress('core: heap of subscriptions');
  const execArgv = ['--expose-gc'];
  const subscriptions = await runAlone<{ bytesEach: number; reached: boolean }>(
    new URL('./subscriptions-process.js', import.meta.url),
    [String(workload.subscriptions)],
    { execArgv },
  );
  progress('core: heap after many cycles');
  const cycles = await runAlone<{ grownBytes: number; beforeBytes: number; handled: boolean }>(
    new URL('./cycles-process.js', import.meta.url),
    [String(workload.cycles)],
    { execArgv },
  );
  if (!subscriptions.reached || !cycles.handled) throw new Error('events went missing');

  const gzip = sizes[0]!.gzip;
  const importMs = median(importsMs['@polycast/core']!);
  return {
    raw: { sizes, importsMs, subscriptions, cycles },
    tables: [
      {
        title: 'Browser bundle',
        columns: ['program', 'minified', 'gzip', 'on demand, gzip'],
        rows: Object.keys(PROGRAMS).map((name, at) => [
          name,
          short(sizes[at]!.minified),
          short(sizes[at]!.gzip),
          short(sizes[at]!.onDemandGzip),
        ]),
        notes: [
          'Bytes, by rolldown (the bundler of Vite). On demand: the filter language, when the first filter is set. A bundler that writes one file, or esbuild, puts it into the first download.',
        ],
      },
      {
        title: 'Import in a fresh Node process, ms',
        columns: ['package', 'p50', 'p10', 'p90'],
        rows: Object.entries(importsMs).map(([name, ms]) => [
          name,
          ...[0.5, 0.1, 0.9].map((part) => short(quantile(ms, part))),
        ]),
        notes: [],
      },
      {
        title: 'Heap',
        columns: ['', 'bytes'],
        rows: [
          [
            `a subscription, of ${workload.subscriptions.toLocaleString('en')} in one process`,
            short(subscriptions.bytesEach),
          ],
          [`grown after ${workload.cycles.toLocaleString('en')} publish and deliver cycles`, short(cycles.grownBytes)],
          ['the whole heap before them', short(cycles.beforeBytes)],
        ],
        notes: ['After garbage collection.'],
      },
    ],
    goals: [
      {
        goal: 'core with memory in a browser at most 25 KB gzip',
        measured: `${gzip} bytes`,
        met: gzip <= MAX_GZIP_BYTES,
      },
      {
        goal: 'importing core in Node below 30 ms',
        measured: `${importMs.toFixed(1)} ms`,
        met: importMs < MAX_IMPORT_MS,
      },
      {
        goal: '100,000 subscriptions of at most 1 KB each',
        measured: `${Math.round(subscriptions.bytesEach)} bytes`,
        met: subscriptions.bytesEach <= MAX_SUBSCRIPTION_BYTES,
      },
      {
        goal: 'the heap returns to where it was after 1,000,000 cycles',
        measured: `${cycles.grownBytes >= 0 ? '+' : ''}${Math.round(cycles.grownBytes / 1024)} KB`,
        met: cycles.grownBytes <= MAX_GROWTH_BYTES,
      },
    ],
  };
};
