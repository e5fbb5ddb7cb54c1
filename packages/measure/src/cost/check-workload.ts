import { PolycastError } from '@polycast/core';
import { suggestion } from '@polycast/core/configuration';
import * as v from 'valibot';
import { packagedPrices } from './price-book.ts';
import { SERVICES } from './services/index.ts';
import { type ServiceName, type Workload, type WorkloadInput, WorkloadSchema } from './workload.ts';

/** One thing that is wrong with a workload. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Points at the key rather than the value. */
  readonly atKey?: boolean;
}

/**
 * A workload from a plain object: fills in defaults.
 * @throws PolycastError `invalid-configuration` with everything that is wrong
 */
export function makeWorkload(input: WorkloadInput): Workload {
  const result = checkWorkload(input);
  return result.workload ?? fail('workload', result.problems.map(sentence));
}

/** A workload, or all that is wrong with what should be one. */
export function checkWorkload(
  value: unknown,
): { workload: Workload; problems?: never } | { workload?: never; problems: Problem[] } {
  if (!isObject(value) || Array.isArray(value)) {
    return { problems: [{ path: [], message: 'a workload is a mapping of keys to values' }] };
  }
  const parsed = v.safeParse(WorkloadSchema, value);
  const misspelt = unknownKeys(WorkloadSchema, value, []);
  if (!parsed.success || misspelt.length > 0) {
    // The schema stops at an object's first unknown key; all of them are wanted.
    const issues = (parsed.issues ?? []).filter((issue) => !isUnknownKey(issue));
    return { problems: [...misspelt, ...issues.map(toProblem)] };
  }
  const problems = [
    ...checkGroups(parsed.output),
    ...checkInferred(parsed.output, value),
    ...checkServiceOptions(parsed.output),
  ];
  return problems.length > 0 ? { problems } : { workload: parsed.output };
}

function checkGroups({ groups, subscribers }: Workload): Problem[] {
  if (groups === undefined || groups <= subscribers) return [];
  return [{ path: ['groups'], message: `${groups} groups need at least ${groups} subscribers, not ${subscribers}` }];
}

function checkInferred({ inferred }: Workload, value: unknown): Problem[] {
  return inferred.flatMap((path, index) => {
    let at: unknown = value;
    for (const key of path.split('.')) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    return at === undefined ? [{ path: ['inferred', index], message: `the workload has no input "${path}"` }] : [];
  });
}

function checkServiceOptions({ services }: Workload): Problem[] {
  return Object.entries(services).flatMap(([service, options]) => {
    if (options === undefined) return [];
    const { units } = SERVICES[service as ServiceName];
    const tiers = packagedPrices()[service]?.tiers.map((tier) => tier.id) ?? [];
    const problems: Problem[] = Object.keys(options.perPublish ?? {})
      .filter((unit) => !units.includes(unit))
      .map((unit) => ({
        path: ['services', service, 'perPublish', unit],
        message: unknown('unit', unit, units),
        atKey: true,
      }));
    if (options.tier !== undefined && tiers.length > 0 && !tiers.includes(options.tier)) {
      problems.push({ path: ['services', service, 'tier'], message: unknown('tier', options.tier, tiers) });
    }
    return problems;
  });
}

function unknown(what: string, name: string, known: readonly string[]): string {
  return known.length === 0
    ? `unknown ${what} "${name}": this service has none`
    : `unknown ${what} "${name}"${suggestion(name, known)}`;
}

function toProblem(issue: v.BaseIssue<unknown>): Problem {
  const path = issue.path?.map((item) => item.key as PropertyKey) ?? [];
  if (issue.type === 'strict_object' && issue.received === 'undefined') return { path, message: 'is missing' };
  return { path, message: plain(issue) };
}

function plain(issue: v.BaseIssue<unknown>): string {
  const { type, input } = issue;
  const requirement = String((issue as { requirement?: unknown }).requirement);
  if (type === 'check') return issue.message;
  if (type === 'min_value') return `must be at least ${requirement}, not ${issue.received}`;
  if (type === 'max_value') return `must be at most ${requirement}, not ${issue.received}`;
  if (type === 'min_length' || type === 'non_empty') return 'must not be empty';
  if (type === 'integer') return `must be a whole number, not ${issue.received}`;
  if (type === 'picklist') {
    const options = (issue as unknown as { expected: string }).expected.replace(/[()"]/g, '').split(' | ');
    return typeof input === 'string'
      ? `unknown name "${input}"${suggestion(input, options)}`
      : `must be one of ${options.join(', ')}`;
  }
  if (type === 'number' && typeof input === 'string' && /^\d[\d_,' ]*$/.test(input)) {
    return `must be a number, not the text "${input}": write ${input.replace(/\D/g, '')}`;
  }
  const wanted = {
    strict_object: 'a mapping',
    record: 'a mapping',
    array: 'a list',
    number: 'a number',
    string: 'text',
    boolean: 'true or false',
  }[type];
  return `must be ${wanted ?? issue.expected ?? 'something else'}, not ${issue.received}`;
}

function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === 'strict_object' && issue.expected === 'never';
}

/** Keys that no schema knows, at any depth. */
function unknownKeys(schema: unknown, value: unknown, path: readonly PropertyKey[]): Problem[] {
  const inner = unwrap(schema);
  if (!isObject(inner) || !isObject(value)) return [];
  const { entries } = inner;
  if (Array.isArray(value)) {
    if (isObject(entries)) return [{ path, message: 'must be a mapping, not a list' }];
    return value.flatMap((item, index) => unknownKeys(inner.item, item, [...path, index]));
  }
  if (!isObject(entries)) return [];
  return Object.keys(value).flatMap((key) => {
    const at = [...path, key];
    if (Object.hasOwn(entries, key)) return unknownKeys(entries[key], value[key], at);
    return [{ path: at, message: `unknown key${suggestion(key, Object.keys(entries))}`, atKey: true }];
  });
}

/** Looks through `optional`; a pipe already shows what it starts with. */
function unwrap(schema: unknown): unknown {
  let inner = schema;
  while (isObject(inner) && inner.type === 'optional') inner = inner.wrapped;
  return inner;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A problem in words, for people. */
export function sentence({ path, message }: Problem): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}

/** Throws with up to ten problems, one a line. */
export function fail(file: string, problems: readonly string[], cause?: unknown): never {
  const shown = problems.slice(0, 10).map((problem) => `${file}:${/^\d/.test(problem) ? '' : ' '}${problem}`);
  const more = problems.length > 10 ? `\n… and ${problems.length - 10} more` : '';
  throw new PolycastError(
    'invalid-configuration',
    shown.join('\n') + more,
    cause === undefined ? undefined : { cause },
  );
}
