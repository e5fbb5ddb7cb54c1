/** What authors of adapters need beyond `@polycast/core`: the transport interface and the codec. */

export type { Address } from './address.ts';
export { type OptionNames, optionsOf, unknownOption } from './checked-option.ts';
export { suggestion } from './configuration/nearest.ts';
export { redactUrl } from './configuration/redact.ts';
export { CORE } from './core-identity.ts';
export { describeError } from './describe-error.ts';
export { type BinaryEvent, eventFromBinary } from './envelope/binary-mode.ts';
export { decodeEvents } from './envelope/decode.ts';
export { encodeBatch, encodeEvent } from './envelope/encode.ts';
export { parseJson } from './envelope/json.ts';
export type { DecodeLimits } from './envelope/limits.ts';
export { utf8Length } from './envelope/limits.ts';
export { isPlainJson, normaliseData } from './envelope/normalise.ts';
export { ERROR_CODES, type ErrorCode, isPolycastError, PolycastError } from './error.ts';
export type { AttributeValue, CloudEventJson, EventParts } from './event.ts';
export { BroadcastEvent } from './event.ts';
export type { Condition } from './filter/condition.ts';
export type { FilterTarget, Pushed, PushOptions, PushReason } from './filter/target.ts';
export { CAPABILITIES, type Capability, type CapabilityName, type Level, type Manifest } from './manifest.ts';
export type { Participant } from './participant.ts';
export { addressesOf, sourceOf } from './participant.ts';
export type { Signal } from './signal.ts';
export type {
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
} from './transport.ts';
