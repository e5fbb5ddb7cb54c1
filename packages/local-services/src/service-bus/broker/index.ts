/** The engine of the local Service Bus: entities and messages, without a wire. */

export { type Clock, systemClock } from '../../time/clock.ts';
export type {
  Broker,
  Delivered,
  Entities,
  Gone,
  MessageSource,
  Outcome,
  ReceiveMode,
  Receiver,
  SessionLock,
  StoredMessage,
  Target,
} from './api.ts';
export { type BrokerOptions, createBroker } from './broker.ts';
export {
  type AuthorizationRule,
  DEFAULT_RULE_NAME,
  type EntityStatus,
  type MessageCounts,
  type PassedOver,
  type QueueDescription,
  type QueueInfo,
  type SubscriptionDescription,
  type SubscriptionInfo,
  type Times,
  type TopicDescription,
  type TopicInfo,
} from './descriptions.ts';
export { BrokerError, type Condition, STATUS } from './error.ts';
export { LIMITS, TIERS, type Tier, type TierLimits } from './limits.ts';
export { type Account, BILLED_STEP_BYTES, type Billing, createBilling, type OperationKind } from './tariff.ts';
