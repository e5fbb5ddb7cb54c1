/** How a history can break the contract. */
export const VIOLATIONS = {
  unannounced: 'a resolved event was neither handled, dead-lettered, expired nor announced as lost',
  lost: 'an event was lost that the service had kept, though it was announced',
  duplicated: 'a handler got an event again that it had accepted',
  reordered: 'events of one publisher to the same addresses, or of one key, came out of order',
  overlapped: 'two members of a group handled events of one key at the same time',
  tries: 'an event was tried more often than its subscription allows, or given up too early',
  attempts: 'delivery.attempt is not the number of times that a handler was given the event',
  late: 'an event was handled after its time to live',
  uncounted: 'an expired event is missing in the count of dropped events',
  'false-signal': 'something was announced that did not happen',
  refused: 'connecting, subscribing or publishing failed though nothing had gone wrong, or never came to work again',
  residue: 'something was left behind on the service or in a process',
  died: 'a process ended by itself',
  silent: 'a process did not answer',
  busy: 'an idle process was busy',
} as const;

export type ViolationKind = keyof typeof VIOLATIONS;

export interface Violation {
  readonly kind: ViolationKind;
  /** What was seen: one sentence. */
  readonly message: string;
}
