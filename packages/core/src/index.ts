export {
  type Address,
  checkAddress,
  checkTopic,
  EVERYONE,
  MAX_ADDRESSES,
  MAX_NAME_LENGTH,
  MAX_TOPIC_LENGTH,
} from './address.ts';
export { type ConfigEntry, defineConfig, type PolycastConfig } from './configuration/config.ts';
export { redactUrl } from './configuration/redact.ts';
export { type ConnectOptions, connect } from './connect.ts';
export * from './contract.ts';
export { ERROR_CODES, type ErrorCode, PolycastError } from './error.ts';
export { type AttributeValue, BroadcastEvent, type CloudEventJson, type EventInput } from './event.ts';
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
export type { Condition } from './filter/condition.ts';
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
export { type FilterInput, parseFilter } from './filter/parse.ts';
export { type FilterPlan, type NativePart, type PlanInput, planFilter, type ResidualPart } from './filter/plan.ts';
export { printFilter } from './filter/print.ts';
export { FilterSyntaxError } from './filter/syntax-error.ts';
export type { FilterTarget, Pushed, PushOptions, PushReason } from './filter/target.ts';
export type { EventGridFilter } from './filter/targets/event-grid-filter.ts';
export { FILTER_TARGETS, type FilterTargetName } from './filter/targets/index.ts';
export type { CorrelationRule } from './filter/targets/service-bus-correlation.ts';
export type { ServiceBusSqlFilter } from './filter/targets/service-bus-sql.ts';
export type { FilterFunction, FilterFunctions, FilterTree, FilterValue } from './filter/tree.ts';
export { CAPABILITIES, type Capability, type CapabilityName, type Level, type Manifest } from './manifest.ts';
export type {
  DeliverContext,
  DeliverResult,
  Middleware,
  MiddlewareContext,
  Outcome,
  PublishContext,
} from './middleware.ts';
export type { Participant, ParticipantInput } from './participant.ts';
export type { EventsOf, InputsOf, SchemaMap } from './schema.ts';
export type { Signal, SignalKind, SignalListener } from './signal.ts';
export type { StartPosition, Transport, TransportFromUrl } from './transport.ts';
