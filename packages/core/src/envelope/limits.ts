/** Bounds of what is read off a wire. Beyond one of them an event is `corrupt-event`. */
export interface DecodeLimits {
  /** Longest text of one message, in UTF-16 units. @default {@link MAX_TEXT_LENGTH} */
  readonly maxTextLength?: number;
  /** Most events in one batch. @default {@link MAX_BATCH_EVENTS} */
  readonly maxEvents?: number;
}

/** @default for `maxTextLength`: 128 Mi units, above the largest message of any supported service (100 MB) */
export const MAX_TEXT_LENGTH = 134_217_728;
/** @default for `maxEvents` */
export const MAX_BATCH_EVENTS = 65_536;
