import { type FilterDialect, parseDialect, testOf } from './dialects.ts';
import { likeTokens } from './like.ts';
import { hasPasses, printText } from './print-text.ts';
import { sameTree } from './same-tree.ts';
import { type FilterTree, REQUIRED_ATTRIBUTES } from './tree.ts';

/** The dialect that is read as this very tree; undefined when there is none. */
export function dialectOf(tree: FilterTree): FilterDialect | undefined {
  try {
    const dialect = write(tree, true);
    return dialect !== undefined && sameTree(parseDialect(dialect), tree) ? dialect : undefined;
  } catch {
    // A tree that no filter may be, made by hand: it is written node by node.
    return undefined;
  }
}

/** Tries; whether it is the same tree is seen by reading it back. `conjunct` as in parseDialect. */
function write(tree: FilterTree, conjunct: boolean): FilterDialect | undefined {
  switch (tree.kind) {
    case 'passes':
      return { sql: printText(tree.of) };
    case 'not': {
      const not = write(tree.of, false);
      return not && { not };
    }
    case 'or': {
      const any = tree.of.map((operand) => write(operand, false));
      return any.every((filter) => filter !== undefined) ? { any } : conjunctOf(tree, conjunct);
    }
    case 'and': {
      const all = conjuncts(tree.of, conjunct);
      return all && (all.length === 1 ? all[0] : { all });
    }
    default:
      return testDialect(tree, true) ?? conjunctOf(tree, conjunct);
  }
}

/** CESQL may stand where only `all`s are around it. */
function conjunctOf(tree: FilterTree, conjunct: boolean): FilterDialect | undefined {
  return conjunct && !hasPasses(tree) ? { sql: printText(tree) } : undefined;
}

/** `EXISTS a AND a = 'x'` are two operands that one `exact` stands for. */
function conjuncts(of: readonly FilterTree[], conjunct: boolean): FilterDialect[] | undefined {
  const all: FilterDialect[] = [];
  for (let at = 0; at < of.length; at++) {
    const [first, second] = [of[at]!, of[at + 1]];
    const pair = first.kind === 'exists' && second !== undefined ? testDialect(second, false, first.name) : undefined;
    if (pair !== undefined) at++;
    const filter = pair ?? write(first, conjunct);
    if (filter === undefined) return undefined;
    all.push(filter);
  }
  return all;
}

/** A test of a required attribute, or of the named one. */
function testDialect(tree: FilterTree, required: boolean, name?: string): FilterDialect | undefined {
  const of = tree.kind === 'compare' ? tree.left : tree.kind === 'like' ? tree.of : undefined;
  if (of?.kind !== 'attribute') return undefined;
  if (required ? !REQUIRED_ATTRIBUTES.has(of.name) : of.name !== name) return undefined;
  if (tree.kind === 'compare') {
    const { operator, right } = tree;
    const exact = operator === '=' && right.kind === 'literal' && typeof right.value === 'string' && right.value !== '';
    return exact ? { exact: { [of.name]: right.value } } : undefined;
  }
  if (tree.kind !== 'like') return undefined;
  const texts = likeTokens(tree.pattern).filter((token) => typeof token === 'object');
  const value = texts[0]?.text ?? '';
  if (texts.length !== 1) return undefined;
  if (sameTree(testOf('prefix', of.name, value), tree)) return { prefix: { [of.name]: value } };
  return sameTree(testOf('suffix', of.name, value), tree) ? { suffix: { [of.name]: value } } : undefined;
}
