import type { Arrived, Taker } from './incoming-transfers.ts';
import type { FlowFields } from './rhea.ts';

/** What one of our links leads to. */
export interface LinkNode {
  /** The peer wrote a flow for this link. */
  flow(fields: FlowFields): void;
  /** There may be room for deliveries again. */
  resume(): void;
  /** May the link stay, now that grants have changed? */
  readonly allowed: boolean;
  /** The link is gone: detached by either side, or with its connection. Idempotent. */
  closed(): void;
}

export interface TakingNode extends LinkNode, Taker {
  take(arrived: Arrived): void;
}
