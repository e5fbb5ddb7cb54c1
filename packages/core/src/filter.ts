/**
 * The filter language, for those who evaluate filters themselves, and what the filters of services are written with. A subscription takes
 * a filter as it is: `@polycast/core` suffices for that.
 */

export { type FilterEvent, readAttribute } from './filter/attribute-value.ts';
export {
  type AttributeExpression,
  and,
  attr,
  call,
  type FilterExpression,
  type FilterOperand,
  literal,
  not,
  or,
  type ValueExpression,
} from './filter/builder.ts';
export { compileCondition, type Predicate } from './filter/compile.ts';
export type {
  Condition,
  ConstantCondition,
  ElementTest,
  ExpressionTest,
  FlagTest,
  GroupCondition,
  IntegerTest,
  LikeTest,
  PresentTest,
  Test,
  TextTest,
} from './filter/condition.ts';
export type { FilterDialect } from './filter/dialects.ts';
export {
  type EvaluateOptions,
  evaluateFilter,
  type FilterErrorCode,
  type FilterEvaluation,
} from './filter/evaluate.ts';
export { type ExplainOptions, explainFilter, type FilterExplanation } from './filter/explain.ts';
export { type CompiledFilter, compileFilter, type FilterOptions } from './filter/filter.ts';
export { FilterIndex } from './filter/index/filter-index.ts';
export { escapeLike, type LikeText, type LikeToken, likeTokens } from './filter/like.ts';
export { type FilterInput, parseFilter } from './filter/parse.ts';
export { type FilterPlan, type NativePart, type PlanInput, planFilter, type ResidualPart } from './filter/plan.ts';
export { printFilter } from './filter/print.ts';
export {
  type AcceptedValues,
  type AttributeType,
  acceptedTypes,
  acceptedValues,
  acceptsEverything,
  type BareTest,
  bareTest,
  type IntegerSet,
  type TextSet,
  typesOf,
  type ValueTest,
} from './filter/push-down/accepted-values.ts';
export { addressTarget } from './filter/push-down/addresses.ts';
export { commonPrefix } from './filter/push-down/common-prefix.ts';
export {
  atomFormula,
  constantFormula,
  type Formula,
  formulaOf,
  joinFormulas,
  type Loosened,
  printFormula,
} from './filter/push-down/formula.ts';
export { foldCase, isCaseless } from './filter/push-down/letter-case.ts';
export { reasonFor } from './filter/push-down/reasons.ts';
export { requiredAttributes } from './filter/push-down/required-attributes.ts';
export { type Share, type Split, type Splitting, splitCondition } from './filter/push-down/split.ts';
export { typeAdvice } from './filter/push-down/type-advice.ts';
export { FilterSyntaxError } from './filter/syntax-error.ts';
export type { FilterTarget, Pushed, PushOptions, PushReason } from './filter/target.ts';
export {
  type CompareOperator,
  type FilterFunction,
  type FilterFunctions,
  type FilterTree,
  type FilterType,
  type FilterValue,
  MAX_INTEGER,
  MIN_INTEGER,
  REQUIRED_ATTRIBUTES,
} from './filter/tree.ts';
