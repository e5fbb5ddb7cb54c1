import { isMap, isPair, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml';
import { checkWorkload, fail, type Problem, sentence } from './check-workload.ts';
import { jsonFault } from './json-fault.ts';
import { isDeep, MAX_DEPTH } from './nesting.ts';
import type { Workload } from './workload.ts';

/** Largest workload text, characters. */
export const MAX_WORKLOAD_LENGTH = 65_536;

export interface ParseWorkloadOptions {
  /** JSON is read strictly; YAML is 1.2, core schema. @default 'yaml' */
  readonly format?: 'json' | 'yaml';
  /** Name of the file, for messages. @default 'workload' */
  readonly file?: string;
}

/**
 * Reads a workload. Every problem is named with its line and column, misspelt names with the nearest right one.
 * @throws PolycastError `invalid-configuration`
 */
export function parseWorkload(text: string, options: ParseWorkloadOptions = {}): Workload {
  const file = options.file ?? 'workload';
  if (text.length > MAX_WORKLOAD_LENGTH) fail(file, [`longer than ${MAX_WORKLOAD_LENGTH} characters`]);
  if (isDeep(text)) fail(file, [`nested deeper than ${MAX_DEPTH} levels`]);

  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  // YAML reads more than JSON allows.
  const fault = options.format === 'json' ? jsonFault(text) : undefined;
  if (fault !== undefined) {
    const found = fault < text.length ? JSON.stringify([...text.slice(fault, fault + 2)][0]) : 'end of the text';
    fail(file, [`${position(fault)}: unexpected ${found}: this is not JSON`]);
  }
  if (document.errors.length > 0) {
    fail(
      file,
      document.errors.map(
        (error) => `${position(error.pos[0])}: ${error.code === 'MULTIPLE_DOCS' ? 'a second document' : error.message}`,
      ),
      document.errors[0],
    );
  }
  const value = toPlain(document, file);
  const result = checkWorkload(value);
  if (result.workload !== undefined) return result.workload;
  const placed = result.problems.map((problem) => ({ problem, offset: offsetOf(document.contents, problem) }));
  placed.sort((a, b) => a.offset - b.offset);
  return fail(
    file,
    placed.map(({ problem, offset }) => `${position(offset)}: ${sentence(problem)}`),
  );
}

/** Where a problem stands in the text: its own node, or the nearest enclosing one. */
function offsetOf(contents: ParsedNode | null, { path, atKey }: Problem): number {
  let node: Node | null = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const [index, key] of path.entries()) {
    const last = index === path.length - 1;
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && String(item.key) === String(key));
      next = last && atKey ? pair?.key : (pair?.value ?? pair?.key);
    } else if (isSeq(node)) {
      next = node.items[Number(key)];
    }
    if (typeof next !== 'object' || next === null) break;
    node = next as Node;
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
