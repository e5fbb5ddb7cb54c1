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
export type { FilterInput, FilterTree } from './filter/exact-filter.ts';
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
