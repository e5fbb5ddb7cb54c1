#!/usr/bin/env node
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants.mjs';
import { runSimulation } from './run.mjs';

const USAGE = `usage: node simulate.mjs [--seed S] [--histories N] [--seconds T] [--rules a,b] [--mutant NAME]

  --seed S        play this one history, or with --histories start here
  --histories N   how many (default 1 with --seed, else 100000)
  --seconds T     stop after this long (default 60)
  --rules a,b     look at these rules only
  --mutant NAME   play against a core with this fault`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    histories: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    rules: { type: 'string' },
    mutant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  const first = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const histories = Number(values.histories ?? (values.seed === undefined ? 100_000 : 1));
  const threads = histories === 1 ? 1 : availableParallelism();
  const mutant = values.mutant === undefined ? undefined : MUTANTS.find(({ name }) => name === values.mutant);
  if (values.mutant !== undefined && mutant === undefined) throw new Error(`no mutant is named ${values.mutant}`);
  const seeds = Array.from({ length: threads }, (_, thread) => first + thread * Math.ceil(histories / threads));
  const result = await runSimulation({
    seeds,
    histories,
    budgetMs: Number(values.seconds) * 1_000,
    only: values.rules?.split(','),
    patches: mutant?.patches,
  });
  for (const { seed, print, findings, shrunkFindings } of result.failures) {
    console.log(`seed ${seed}\n  ${findings.join('\n  ')}\n\nthe shortest history that breaks the same:\n${print}`);
    console.log(`  ${shrunkFindings.join('\n  ')}\n`);
  }
  for (const seed of result.stuckAt) console.log(`seed ${seed} never ends`);
  console.log(`${result.histories} histories from seed ${first}, ${result.failures.length} failures`);
  process.exitCode = result.failures.length + result.stuckAt.length === 0 ? 0 : 1;
}
