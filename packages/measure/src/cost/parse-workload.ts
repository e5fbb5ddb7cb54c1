import { PolycastError } from '@polycast/core';
import * as v from 'valibot';
import { isMap, isPair, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml';
import { suggestion } from './nearest.ts';
import { packagedPrices } from './price-book.ts';
import { SERVICES } from './services/index.ts';
import { type ServiceName, type Workload, type WorkloadInput, WorkloadSchema } from './workload.ts';

/** Largest workload text, characters. */
export const MAX_WORKLOAD_LENGTH = 1_048_576;

export interface ParseWorkloadOptions {
  /** JSON is read strictly; YAML is 1.2, core schema. @default 'yaml' */
  readonly format?: 'json' | 'yaml';
  /** Name of the file, for messages. @default 'workload' */
  readonly file?: string;
}

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Points at the key rather than the value. */
  readonly atKey?: boolean;
}

/**
 * Reads a workload. Every problem is named with its line and column, misspelt names with the nearest right one.
 * @throws PolycastError `invalid-configuration`
 */
export function parseWorkload(text: string, options: ParseWorkloadOptions = {}): Workload {
  const file = options.file ?? 'workload';
  if (text.length > MAX_WORKLOAD_LENGTH) fail(file, [`longer than ${MAX_WORKLOAD_LENGTH} characters`]);
  if (options.format === 'json') checkJson(text, file);

  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  if (document.errors.length > 0) {
    fail(
      file,
      document.errors.map((error) => `${position(error.pos[0])}: ${error.message}`),
      document.errors[0],
    );
  }
  const value = toPlain(document, file);
  const result = check(value);
  if (result.workload !== undefined) return result.workload;
  const described = result.problems.map((problem) => {
    const offset = offsetOf(document.contents, problem);
    return `${offset === undefined ? '' : `${position(offset)}: `}${sentence(problem)}`;
  });
  return fail(file, described);
}

/**
 * A workload from a plain object: fills in defaults.
 * @throws PolycastError `invalid-configuration` with everything that is wrong
 */
export function makeWorkload(input: WorkloadInput): Workload {
  const result = check(input);
  return result.workload ?? fail('workload', result.problems.map(sentence));
}

function check(value: unknown): { workload: Workload; problems?: never } | { workload?: never; problems: Problem[] } {
  const parsed = v.safeParse(WorkloadSchema, value);
  if (!parsed.success) return { problems: parsed.issues.map(toProblem) };
  const problems = [
    ...checkGroups(parsed.output),
    ...checkInferred(parsed.output, value),
    ...checkServices(parsed.output),
  ];
  return problems.length > 0 ? { problems } : { workload: parsed.output };
}

function checkGroups({ groups, subscribers }: Workload): Problem[] {
  if (groups === undefined || groups <= subscribers) return [];
  return [{ path: ['groups'], message: `${groups} groups need as many subscribers, and there are ${subscribers}` }];
}

function checkInferred({ inferred }: Workload, value: unknown): Problem[] {
  return inferred.flatMap((path, index) => {
    let at: unknown = value;
    for (const key of path.split('.')) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    return at === undefined ? [{ path: ['inferred', index], message: `nothing stands at "${path}"` }] : [];
  });
}

function checkServices({ services }: Workload): Problem[] {
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
    ? `"${name}" is no ${what}: there are none`
    : `unknown ${what} "${name}"${suggestion(name, known)}`;
}

function toProblem(issue: v.BaseIssue<unknown>): Problem {
  const path = issue.path?.map((item) => item.key as PropertyKey) ?? [];
  const key = path.at(-1);
  if (issue.type === 'strict_object' && issue.expected === 'never' && key !== undefined) {
    const known = keysOf(path.slice(0, -1));
    return { path, message: `unknown key${suggestion(String(key), known)}`, atKey: true };
  }
  if (issue.type === 'strict_object' && issue.received === 'undefined') return { path, message: 'is missing' };
  return { path, message: plain(issue) };
}

function plain(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'check') return issue.message;
  const bound = { min_value: 'at least', max_value: 'at most', min_length: 'of length at least' }[issue.type];
  if (bound !== undefined)
    return `must be ${bound} ${String((issue as { requirement?: unknown }).requirement)}, not ${issue.received}`;
  if (issue.type === 'integer') return `must be a whole number, not ${issue.received}`;
  return `must be ${issue.expected ?? 'something else'}, not ${issue.received}`;
}

/** The keys that may stand in the object at a path of the schema. */
function keysOf(path: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = WorkloadSchema;
  for (const key of path) {
    schema = unwrap(schema);
    if (!isObject(schema)) return [];
    schema = isObject(schema.entries) ? schema.entries[String(key)] : schema.item;
  }
  schema = unwrap(schema);
  return isObject(schema) && isObject(schema.entries) ? Object.keys(schema.entries) : [];
}

/** Looks through `optional` and `pipe`. */
function unwrap(schema: unknown): unknown {
  let inner = schema;
  while (isObject(inner) && inner.type === 'optional') inner = inner.wrapped;
  return inner;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function sentence({ path, message }: Problem): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}

/** Where a problem stands in the text: its own node, or the nearest enclosing one. */
function offsetOf(contents: ParsedNode | null, { path, atKey }: Problem): number | undefined {
  let node: Node | null = contents;
  let offset = contents?.range?.[0];
  for (const [index, key] of path.entries()) {
    const last = index === path.length - 1;
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && String(item.key) === String(key));
      next = last && atKey ? pair?.key : (pair?.value ?? pair?.key);
    } else if (isSeq(node)) {
      next = node.items[Number(key)];
    }
    if (!isObject(next)) break;
    node = next as unknown as Node;
    offset = node.range?.[0] ?? offset;
  }
  return offset;
}

function toPlain(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return fail(file, [error instanceof Error ? error.message : String(error)], error);
  }
}

/** YAML reads more than JSON allows, so JSON is read as JSON first; where it breaks is worked out from the message. */
function checkJson(text: string, file: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const message = (error as SyntaxError).message;
    const offset = /position (\d+)/.exec(message)?.[1];
    const before = text.slice(0, offset === undefined ? text.length : Number(offset)).split('\n');
    fail(file, [`${before.length}:${before.at(-1)!.length + 1}: ${message}`], error);
  }
}

function fail(file: string, problems: readonly string[], cause?: unknown): never {
  const shown = problems.slice(0, 10).map((problem) => `${file}:${problem}`);
  const more = problems.length > 10 ? `\n… and ${problems.length - 10} more` : '';
  throw new PolycastError(
    'invalid-configuration',
    shown.join('\n') + more,
    cause === undefined ? undefined : { cause },
  );
}
