import { type Apply, compileAction } from './action.ts';
import { compilePredicate, type Test } from './compile-predicate.ts';
import { equalitiesOf } from './correlation.ts';
import type { FilterDescription, RuleDescription } from './description.ts';
import { parseFilter } from './parse.ts';
import { type Requirement, requirementsOf } from './requirements.ts';
import type { RuleMessage } from './rule-message.ts';
import type { Predicate } from './tree.ts';

export interface CompiledRule {
  readonly description: RuleDescription;
  /** @throws FilterEvaluationError */
  matches(message: RuleMessage): boolean;
  /** What the action, if there is one, changes in a message that matches. @throws FilterEvaluationError */
  readonly apply?: Apply;
  /** Where none of these holds the rule does not match; see `requirementsOf`. None: it never does. */
  readonly requires: readonly Requirement[] | undefined;
}

/** @throws RuleError for a filter or an action that the service does not take */
export function compileRule(description: RuleDescription): CompiledRule {
  const { filter, action } = description;
  const predicate = predicateOf(filter);
  const test: Test = compilePredicate(predicate);
  return {
    description,
    matches: (message) => test(message) === true,
    requires: requirementsOf(predicate),
    ...(action !== undefined && { apply: compileAction(action) }),
  };
}

function predicateOf(filter: FilterDescription): Predicate {
  switch (filter.kind) {
    // Of nothing, all hold and none holds.
    case 'true':
      return { kind: 'and', of: [] };
    case 'false':
      return { kind: 'or', of: [] };
    case 'sql':
      return parseFilter(filter.expression, filter.parameters);
    case 'correlation':
      return equalitiesOf(filter);
  }
}
