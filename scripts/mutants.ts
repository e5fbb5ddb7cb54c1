import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
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

interface Outcome {
  readonly fullName: string;
  readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo';
  readonly failureMessages: readonly string[] | null;
}

/** Longest run of a test that a mutant is meant to fail, vitest's start included, ms. */
const LONGEST_MS = 300_000;

/** A test for each: runs the test that it names against the changed text. That it passes with the text as it is, the suite itself shows. */
export function catchEach(mutants: readonly Mutant[]): void {
  for (const mutant of mutants) {
    const { name, wrong, caughtBy } = mutant;
    test(
      `${name}: ${wrong}`,
      async () => {
        const outcomes = (await outcomesWith(mutant)).filter(({ fullName }) => fullName === caughtBy.test);
        expect(outcomes, `tests of that name: ${caughtBy.test}`).toHaveLength(1);
        const [{ status, failureMessages }] = outcomes as [Outcome];
        expect(status, `of the test: ${caughtBy.test}`).toBe('failed');
        // What breaks before it comes to that shows nothing.
        expect(failureMessages?.[0]).toMatch(/^AssertionError: /);
      },
      LONGEST_MS,
    );
  }
}

async function outcomesWith({ patches, caughtBy }: Mutant): Promise<readonly Outcome[]> {
  const folder = await mkdtemp(join(tmpdir(), 'polycast-mutant-'));
  const report = join(folder, 'report.json');
  const { project, file, test: name } = caughtBy;
  // Not what this run of vitest leaves to its own workers.
  const own = Object.entries(process.env).filter(([key]) => !/^(VITEST|POLYCAST_TEST_COUNTS)/.test(key));
  const args = ['run', '--project', project, `packages/${project}/${file}`, '-t', `^${escaped(name)}$`];
  const child = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args, '--reporter', 'json', '--outputFile', report],
    {
      cwd: ROOT,
      env: { ...Object.fromEntries(own), POLYCAST_MUTANT: JSON.stringify(patches) },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const timer = setTimeout(() => child.kill(), LONGEST_MS - 5_000);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    const text = await readFile(report, 'utf8').catch(() => Promise.reject(new Error(`no report: ${said}`)));
    const { testResults } = JSON.parse(text) as {
      testResults: readonly { readonly message: string; readonly assertionResults: readonly Outcome[] }[];
    };
    const messages = testResults.map(({ message }) => message).filter(Boolean);
    if (messages.length > 0) throw new Error(messages.join('\n'));
    return testResults.flatMap(({ assertionResults }) => assertionResults);
  } finally {
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
