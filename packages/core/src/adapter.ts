/** What authors of adapters need beyond `@polycast/core`: the transport interface and the codec. */

export {
  type CheckOptions,
  checkOptions,
  invalidConfiguration,
  type OptionTable,
  type SettingsOf,
  type Siblings,
} from './adapter/check-options.ts';
export {
  ConnectionMonitor,
  type JoinedLink,
  type KeepAliveOptions,
  LinkMonitor,
  startKeepAlive,
} from './adapter/connection-monitor.ts';
export { divideLease } from './adapter/divide-lease.ts';
export type { Option } from './adapter/option.ts';
export * as option from './adapter/option.ts';
export { Outage } from './adapter/outage.ts';
export { type Poller, pollingSource } from './adapter/polling-source.ts';
export { reasonOf } from './adapter/reason.ts';
export { ReceiveBuffer } from './adapter/receive-buffer.ts';
export { Reconnecting, type ReconnectingOptions } from './adapter/reconnecting.ts';
export { type Share, Shared } from './adapter/shared.ts';
export { percentDecoded, readUrlOptions, type UrlOptions } from './adapter/url-options.ts';
export { pause, settlesWithin, type WithinOptions, within } from './adapter/within.ts';
export { suggestion } from './configuration/nearest.ts';
export { redactUrl } from './configuration/redact.ts';
export { CORE } from './connection/core-identity.ts';
export type { Address } from './contract/address.ts';
export { type OptionNames, optionsOf, unknownOption } from './contract/checked-option.ts';
export { describeError } from './contract/describe-error.ts';
export { ERROR_CODES, type ErrorCode, isPolycastError, PolycastError } from './contract/error.ts';
export { CAPABILITIES, type Capability, type CapabilityName, type Level, type Manifest } from './contract/manifest.ts';
export type { Participant } from './contract/participant.ts';
export { addressesOf, sourceOf } from './contract/participant.ts';
export type { Signal, SignalListener } from './contract/signal.ts';
export type {
  Encoded,
  EncodedJson,
  Lease,
  Link,
  LinkContext,
  OfferedBy,
  Outgoing,
  Settlement,
  Sink,
  Source,
  SourceRequest,
  StartPosition,
  Transport,
  TransportFromUrl,
} from './contract/transport.ts';
export { type BinaryEvent, eventFromBinary } from './envelope/binary-mode.ts';
export { decodeEvents } from './envelope/decode.ts';
export { encodeBatch, encodeEvent } from './envelope/encode.ts';
export type { AttributeValue, CloudEventJson, EventParts } from './envelope/event.ts';
export { BroadcastEvent } from './envelope/event.ts';
export { parseJson } from './envelope/json.ts';
export type { DecodeLimits } from './envelope/limits.ts';
export { utf8Length } from './envelope/limits.ts';
export { isPlainJson, normaliseData } from './envelope/normalise.ts';
export type { Condition } from './filter/condition.ts';
export type { FilterTarget, Pushed, PushOptions, PushReason } from './filter/target.ts';
export { Encoder, endOfBatch } from './publish/encoder.ts';
