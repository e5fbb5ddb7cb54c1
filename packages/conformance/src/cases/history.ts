import * as fc from 'fast-check';
import { ConformanceFailure } from '../assert.ts';
import type { ConformanceCase, Requirements } from '../case.ts';
import type { CaseContext } from '../context.ts';
import { play } from '../history/play.ts';
import { histories, type Ingredients, type Step } from '../history/step.ts';

/** Maximum search for a smaller failing history. */
const SHRINK_MS = 15_000;

async function explore(c: CaseContext, runs: number, wanted: Partial<Ingredients>): Promise<void> {
  const has = (name: 'carbonCopy' | 'role' | 'instance') => c.manifest.capabilities[name].level !== 'none';
  const ingredients: Ingredients = {
    groups: false,
    expiry: false,
    cut: false,
    addresses: has('role') && has('instance'),
    carbonCopy: has('carbonCopy'),
    ...wanted,
  };
  let played = 0;
  const property = fc.asyncProperty(histories(ingredients), (steps) => play(c, `${c.topic}-${++played}`, steps));
  const details = await fc.check(property, {
    seed: c.seed,
    numRuns: runs,
    interruptAfterTimeLimit: SHRINK_MS,
  });
  if (!details.failed || details.counterexample === null) return;
  const [steps] = details.counterexample as [readonly Step[]];
  const reason = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
  throw new ConformanceFailure(
    `${reason}\nhistory (${steps.length} steps, after ${details.numRuns} runs and ${details.numShrinks} shrinks): ${JSON.stringify(steps)}`,
  );
}

function history(
  name: string,
  clause: string,
  title: string,
  requires: Requirements,
  runs: number,
  wanted: Partial<Ingredients>,
  more: Partial<ConformanceCase> = {},
): ConformanceCase {
  return {
    id: `history/${name}`,
    clause,
    title,
    requires,
    timeoutMs: 60_000,
    ...more,
    run: (c) => explore(c, runs, wanted),
  };
}

export const historyCases: readonly ConformanceCase[] = [
  history('calls', 'history.1', 'generated sequences of calls', { capabilities: ['everyone'] }, 25, {}),
  history(
    'groups',
    'history.2',
    'generated sequences with competing consumers',
    { capabilities: ['everyone', 'groups', 'carbonCopy'] },
    20,
    {
      groups: true,
    },
  ),
  history(
    'expiry',
    'history.3',
    'generated sequences with expiring events',
    { capabilities: ['everyone', 'ttl'] },
    12,
    { expiry: true },
  ),
  history(
    'cuts',
    'history.4',
    'generated sequences with lost connections',
    { capabilities: ['everyone'] },
    4,
    { cut: true },
    { needs: ['cut'] },
  ),
];
