import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import type { Patch } from './mutate.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A fault, put back by changing the text of a package, and the test that must fail with it. */
export interface Mutant {
  readonly name: string;
  /** What it does wrong, in one sentence. */
  readonly wrong: string;
  readonly patches: readonly Patch[];
  readonly caughtBy: {
    /** Project of vitest: the name of the package. */
    readonly project: string;
    /** Below the package's folder. */
    readonly file: string;
    /** Whole name of the test, those of the groups around it first, with a space between. */
    readonly test: string;
  };
}

/** What came of the file that holds a mutant's test. */
interface Report {
  readonly mutant: string;
  /** Of the file itself, as it was read. */
  readonly errors: readonly string[];
  /** Tests that were not asked for are `skipped`. */
  readonly outcomes: readonly Outcome[];
}

interface Outcome {
  readonly test: string;
  readonly status: 'passed' | 'failed' | 'skipped' | 'pending';
  /** Each begins with its kind. */
  readonly errors: readonly string[];
}

/** Longest run of all of a package's, ms. */
const LONGEST_MS = 600_000;

/**
 * A test for each: runs the test that it names against the changed text. That it passes with the text as it is, the
 * suite itself shows. All run in one other process: its start, and what they read, cost more than the tests themselves.
 */
export function catchEach(mutants: readonly Mutant[]): void {
  let reports: readonly Report[] = [];
  beforeAll(async () => {
    reports = await run(mutants);
  }, LONGEST_MS);

  for (const { name, wrong, caughtBy } of mutants) {
    test(`${name}: ${wrong}`, () => {
      const report = reports.filter(({ mutant }) => mutant === name);
      expect(report, 'files that were run for it').toHaveLength(1);
      const [{ errors, outcomes }] = report as [Report];
      expect(errors, 'errors of the file').toEqual([]);
      const own = outcomes.filter((outcome) => outcome.test === caughtBy.test);
      expect(own, `tests of that name: ${caughtBy.test}`).toHaveLength(1);
      const [outcome] = own as [Outcome];
      expect(outcome.status, `of the test: ${caughtBy.test}`).toBe('failed');
      // What breaks before it comes to that shows nothing.
      expect(outcome.errors[0]).toMatch(/^AssertionError: /);
    });
  }
}

async function run(mutants: readonly Mutant[]): Promise<readonly Report[]> {
  const folder = await mkdtemp(join(tmpdir(), 'polycast-mutants-'));
  const asked = join(folder, 'mutants.json');
  const answered = join(folder, 'report.json');
  await writeFile(asked, JSON.stringify(mutants));
  // Not what this run of vitest leaves to its own workers.
  const own = Object.entries(process.env).filter(([key]) => !/^(VITEST|POLYCAST_TEST_COUNTS)/.test(key));
  const child = spawn(process.execPath, [join(ROOT, 'scripts/run-mutants.mjs'), answered], {
    cwd: ROOT,
    env: { ...Object.fromEntries(own), POLYCAST_MUTANTS: asked },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const timer = setTimeout(() => child.kill(), LONGEST_MS - 5_000);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    const text = await readFile(answered, 'utf8').catch(() => Promise.reject(new Error(`no report: ${said}`)));
    return JSON.parse(text);
  } finally {
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
  }
}
