import type { Act, History, Step } from './history.ts';

/** Most histories tried while one is made shorter. */
const MAX_TRIES = 2_000;

/** The shortest history found that still breaks the same: steps are left out, then what remains is made plainer. */
export async function shrink(history: History, breaks: (history: History) => Promise<boolean>): Promise<History> {
  let best = history;
  let tries = 0;
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    if (tries++ >= MAX_TRIES) return false;
    const candidate = { ...best, steps };
    if (!(await breaks(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let before = Number.POSITIVE_INFINITY; measure(best) < before && tries < MAX_TRIES; ) {
    before = measure(best);
    await leaveOut(() => best.steps, attempt);
    for (let at = 0; at < best.steps.length; at++) {
      for (const plainer of plainerOf(best.steps[at] as Step)) {
        if (await attempt(best.steps.with(at, plainer))) break;
      }
    }
  }
  return best;
}

async function leaveOut(steps: () => readonly Step[], attempt: (steps: readonly Step[]) => Promise<boolean>) {
  for (let size = Math.ceil(steps().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < steps().length; ) {
      const gap = steps()
        .slice(at, at + size)
        .reduce((sum, { afterMs }) => sum + afterMs, 0);
      const rest = steps().slice(at + size);
      const later = rest[0] === undefined ? [] : [{ ...rest[0], afterMs: rest[0].afterMs + gap }, ...rest.slice(1)];
      const head = steps().slice(0, at);
      if (!(await attempt([...head, ...rest])) && !(await attempt([...head, ...later]))) at += size;
    }
  }
}

/** Ways in which a step can be a little plainer, the plainest first. */
function* plainerOf(step: Step): Iterable<Step> {
  if (step.afterMs > 1) yield { ...step, afterMs: 1 };
  if (step.afterMs > 0) yield { ...step, afterMs: 0 };
  const optional = step as unknown as Record<string, unknown>;
  for (const name of OPTIONAL) {
    if (optional[name] === undefined) continue;
    const { [name]: _, ...without } = optional;
    yield without as unknown as Step;
  }
  if (step.kind === 'publish' && step.count > 1) {
    yield { ...step, count: 1 };
    yield { ...step, count: step.count - 1 };
  }
  if (step.kind === 'join' && step.wallOffsetMs !== 0) yield { ...step, wallOffsetMs: 0 };
  if (step.kind === 'subscribe' && step.acts !== undefined) {
    const { acts } = step;
    for (let at = 0; at < acts.length; at++) yield { ...step, acts: acts.filter((_, index) => index !== at) };
    for (let at = 0; at < acts.length; at++) {
      const act = acts[at] as Act & { afterMs?: number; odd?: number };
      if (act.act === 'return' && act.afterMs === undefined) continue;
      yield { ...step, acts: acts.with(at, { act: 'return' }) };
      if (act.act !== 'return-odd' && act.odd !== undefined) {
        const { odd: _, ...plain } = act;
        yield { ...step, acts: acts.with(at, plain as Act) };
      }
    }
  }
}

const OPTIONAL = [
  'acts',
  'group',
  'concurrency',
  'bufferSize',
  'deadLetter',
  'isRead',
  'tries',
  'key',
  'ttlMs',
  'id',
  'carbonCopy',
  'confirm',
  'times',
  'next',
  'to',
  'durable',
];

function measure({ steps }: History): number {
  return JSON.stringify(steps).length;
}
