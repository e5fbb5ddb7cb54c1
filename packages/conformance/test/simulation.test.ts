import { describe, expect, test } from 'vitest';
import { MUTANTS } from '../simulation/mutants.mjs';
import { runSimulation } from '../simulation/run.mjs';
import { historyOf, play } from '../src/simulation/index.ts';

/** In CI a minute is given to it; elsewhere a look is enough. */
const BUDGET_MS = process.env.CI ? 55_000 : 15_000;
const HISTORIES = 100_000;
/** Each is found with its seed; when histories have come to be made otherwise, within a few seconds of a calm machine. */
const MUTANT_HISTORIES = 20_000;
const MUTANT_BUDGET_MS = 120_000;

test('a history is played the same each time', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const once = (await play(historyOf(seed))).fingerprint();
    expect((await play(historyOf(seed))).fingerprint(), `seed ${seed}`).toBe(once);
  }
});

test(
  'core keeps its promises in every history',
  async () => {
    // In CI the same each time; elsewhere some that were never tried before, too.
    const fresh = process.env.CI ? 50_001 : Math.floor(Math.random() * 2 ** 31);
    const result = await runSimulation({
      seeds: [1, fresh],
      histories: HISTORIES,
      budgetMs: BUDGET_MS,
    });
    console.log(`${result.histories} histories, from seeds 1 and ${fresh}`);
    for (const { seed, findings, print, shrunkFindings } of result.failures) {
      expect.soft(findings, `seed ${seed}, shrunk to\n${print}\n${shrunkFindings.join('\n')}\n`).toEqual([]);
    }
    expect(result.stuckAt, 'seeds whose history never ends').toEqual([]);
    expect(result.histories).toBeGreaterThan(0);
  },
  BUDGET_MS + 120_000,
);

/** Each plays on one thread. */
describe.concurrent('each mutant of core is caught, by name', () => {
  for (const { name, wrong, caughtBy, patches, seed } of MUTANTS) {
    test(
      `${name}: ${wrong}`,
      async () => {
        const { histories, failures, stuckAt } = await runSimulation({
          seeds: [seed],
          histories: MUTANT_HISTORIES,
          budgetMs: MUTANT_BUDGET_MS,
          only: caughtBy,
          isRace: true,
          patches,
        });
        const found = failures[0]?.seed ?? stuckAt[0];
        if (found !== seed)
          console.log(`${name}: found with seed ${found}, no longer with ${seed}, after ${histories} histories`);
        const caught = failures.length + stuckAt.length;
        expect(caught, `of ${histories} histories, those in which it breaks ${caughtBy.join(' or ')}`).toBeGreaterThan(
          0,
        );
      },
      MUTANT_BUDGET_MS + 60_000,
    );
  }
});
