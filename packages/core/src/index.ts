export type { AdapterModule, Adapters } from './configuration/adapters.ts';
export { type ConfigEntry, defineConfig, type PolycastConfig } from './configuration/config.ts';
export { redactUrl } from './configuration/redact.ts';
export { type ConnectOptions, connect } from './connection/connect.ts';
export {
  type Address,
  checkAddress,
  checkTopic,
  EVERYONE,
  MAX_ADDRESSES,
  MAX_NAME_LENGTH,
  MAX_TOPIC_LENGTH,
} from './contract/address.ts';
export {
  type Broadcaster,
  DEFAULT_BUFFER_SIZE,
  DEFAULT_DRAIN_MS,
  DEFAULT_LOCK_MS,
  DEFAULT_POLL_TIMEOUT_MS,
  DEFAULT_STALLED_AFTER_MS,
  DEFAULT_TTL_MS,
  type Delivery,
  type Dropped,
  type EventInputOf,
  type EventMap,
  type EventOf,
  type Handler,
  MAX_PENDING_EVENTS,
  type MembersOptions,
  type PublishOptions,
  type Replies,
  type Reply,
  type ReplyTo,
  type RequestOptions,
  type RetryOptions,
  type SubscribeOptions,
  type Subscription,
  type UnknownEvent,
  type UnknownType,
} from './contract/contract.ts';
export { ERROR_CODES, type ErrorCode, PolycastError } from './contract/error.ts';
export { CAPABILITIES, type Capability, type CapabilityName, type Level, type Manifest } from './contract/manifest.ts';
export type {
  DeliverContext,
  DeliverResult,
  Middleware,
  MiddlewareContext,
  Outcome,
  PublishContext,
} from './contract/middleware.ts';
export type { Participant, ParticipantInput } from './contract/participant.ts';
export type { EventsOf, InputsOf, SchemaMap } from './contract/schema.ts';
export type { Signal, SignalKind, SignalListener } from './contract/signal.ts';
export type { StartPosition, Transport, TransportFromUrl } from './contract/transport.ts';
export { type AttributeValue, BroadcastEvent, type CloudEventJson, type EventInput } from './envelope/event.ts';
export { type AttributeExpression, attr, type FilterExpression, type ValueExpression } from './filter/builder.ts';
export type { FilterDialect } from './filter/dialects.ts';
export type { FilterInput } from './filter/parse.ts';
export { FilterSyntaxError } from './filter/syntax-error.ts';
export type { FilterTree, FilterValue } from './filter/tree.ts';
