import type { Changes, PropertyValue, RuleMessage } from '../rules/index.ts';

/**
 * A message as a client sent it. Never changes: copies in many subscriptions share one. It reads lazily from its bytes
 * and keeps little beside them, since a million of them may lie in a queue.
 */
export interface MessageContent extends RuleMessage {
  /** The whole encoded message as it came, in bytes: what limits and billing count. */
  readonly size: number;
  /** Time to live that the sender asked for (header.ttl, or until properties.absolute-expiry-time), in ms. Infinity: none. */
  readonly ttlMs: number;
  /** When the sender wants it enqueued (`x-opt-scheduled-enqueue-time`), epoch ms. 0: now. */
  readonly scheduledAtMs: number;
  readonly messageId: string | undefined;
  readonly sessionId: string | undefined;
  readonly partitionKey: string | undefined;
  /** Application properties by their exact names. */
  readonly applicationProperties: ReadonlyMap<string, PropertyValue>;
  /**
   * The same message with properties changed: by a rule's action, by `properties-to-modify` of a settlement, or by the
   * reason of a dead letter. @throws BrokerError `com.microsoft:argument-error` for a value the property cannot take
   */
  with(changes: Partial<Changes>): MessageContent;
}
