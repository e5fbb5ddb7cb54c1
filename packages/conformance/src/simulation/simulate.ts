import { historyOf } from './generate.ts';
import type { History } from './history.ts';
import { judge, ruleOf } from './judge.ts';
import { shrink } from './shrink.ts';
import { play } from './world.ts';

/** Plays a history and judges it. @returns what is broken, each with the name of the rule first; empty if nothing is */
export async function simulate(history: History): Promise<readonly string[]> {
  return judge(history, await play(history));
}

/** A seed whose history breaks something, with the shortest history that breaks the same rule. */
export interface Failure {
  readonly seed: number;
  readonly findings: readonly string[];
  readonly shrunk: History;
  /** The same, to be pasted. */
  readonly print: string;
  readonly shrunkFindings: readonly string[];
}

/**
 * Plays the history of a seed.
 * @param isLookedAt which rules count; left out: all
 * @param shrinks false: what fails is handed back as it is
 */
export async function trySeed(
  seed: number,
  isLookedAt: (rule: string) => boolean = () => true,
  shrinks = true,
): Promise<Failure | undefined> {
  const history = historyOf(seed);
  const findings = (await simulate(history)).filter((finding) => isLookedAt(ruleOf(finding)));
  if (findings.length === 0) return undefined;
  const rule = ruleOf(findings[0] as string);
  const breaks = async (other: History) => (await simulate(other)).some((finding) => ruleOf(finding) === rule);
  const shrunk = shrinks ? await shrink(history, breaks) : history;
  return { seed, findings, shrunk, print: print(shrunk), shrunkFindings: await simulate(shrunk) };
}

/** A history as it is pasted into a test. */
export function print({ profile, seed, steps }: History): string {
  return `{ profile: '${profile}', seed: ${seed}, steps: [\n${steps.map((step) => `  ${literal(step)},\n`).join('')}] }`;
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{ ${members.map(([name, member]) => `${name}: ${literal(member)}`).join(', ')} }`;
}
