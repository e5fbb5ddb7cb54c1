import {
  addressTarget,
  atomFormula,
  compileCondition,
  constantFormula,
  type FilterEvent,
  type FilterTarget,
  type Formula,
  formulaOf,
  joinFormulas,
  type Loosened,
  printFormula,
  REQUIRED_ATTRIBUTES,
  reasonFor,
  requiredAttributes,
  splitCondition,
  type Test,
} from '@polycast/core/filter';

/** What one kind of service can say of a test; undefined: nothing but that the attributes it reads are there. */
type Knows = (test: Test) => Loosened<Test> | undefined;

/**
 * A service that evaluates AND and OR of the tests it knows. Its dialect is core's own tests, so that it belongs to no vendor; those of
 * vendors are tested where they are.
 * @param maxParts parts of an AND that it takes
 */
function partlyEvaluating(
  name: string,
  title: string,
  knows: Knows,
  maxParts = Number.POSITIVE_INFINITY,
): FilterTarget<Formula<Test>> {
  const loosen = (test: Test): Loosened<Test> =>
    knows(test) ?? { formula: presenceOf(test), reason: reasonFor(test, 'the service has no such comparison') };
  return {
    name,
    title,
    push(condition) {
      const { natives, residual, reasons } = splitCondition<Formula<Test>>(condition, {
        share: (part) => formulaOf(part, loosen),
        fits: (formulas) => formulas.length <= maxParts,
        tooMuch: (part) => reasonFor(part, `the service takes ${maxParts} parts`),
      });
      const formula = joinFormulas('and', natives);
      return {
        native: natives.length === 0 ? undefined : formula,
        text: natives.length === 0 ? '' : printFormula(formula, WORDS, (test) => JSON.stringify(test)),
        residual,
        reasons,
        accepts: (event) => holds(formula, event),
      };
    },
  };
}

const WORDS = { and: ' AND ', or: ' OR ', true: 'TRUE', false: 'FALSE' };

function holds(formula: Formula<Test>, event: FilterEvent): boolean {
  switch (formula.kind) {
    case 'constant':
      return formula.value;
    case 'atom':
      return compileCondition(formula.atom)(event);
    case 'and':
      return formula.of.every((part) => holds(part, event));
    case 'or':
      return formula.of.some((part) => holds(part, event));
  }
}

const exactly = (test: Test): Loosened<Test> => ({ formula: atomFormula(test) });

/** The attributes without which no value passes the test are there. */
function presenceOf(test: Test): Formula<Test> {
  if (test.kind === 'present') return constantFormula(true);
  const read = test.kind === 'expression' ? requiredAttributes(test.of) : [test.attribute];
  const present = read.filter((attribute) => !REQUIRED_ATTRIBUTES.has(attribute));
  return joinFormulas(
    'and',
    present.map((attribute) => atomFormula<Test>({ kind: 'present', attribute, negated: false })),
  );
}

/** Evaluates comparisons, and neither functions nor arithmetic. */
export const comparing = partlyEvaluating('comparing', 'a service that evaluates comparisons', (test) =>
  test.kind === 'expression' ? undefined : exactly(test),
);

/** One for each kind of service there is. */
export const FILTER_TARGETS: readonly FilterTarget[] = [
  partlyEvaluating('all', 'a service that evaluates whole filters', exactly),
  comparing,
  partlyEvaluating('equality', 'a service that evaluates equality alone', (test) =>
    (test.kind === 'text' || test.kind === 'element') && !test.negated ? exactly(test) : undefined,
  ),
  partlyEvaluating('presence', 'a service that knows which attributes are there', (test) =>
    test.kind === 'present' ? exactly(test) : undefined,
  ),
  partlyEvaluating('short', 'a service that takes one part of a filter', exactly, 1),
  addressTarget('address', 'a service that evaluates addresses alone', 'channel'),
];
