import { type Account as BilledAccount, Billing as BillingOf } from '../../billing/billing.ts';

/** Every 64 KiB begun of a sent or received message is one operation. */
export const BILLED_STEP_BYTES = 65_536;

export type OperationKind =
  | 'send'
  | 'receive'
  | 'settle'
  | 'renew'
  | 'peek'
  | 'session'
  | 'schedule'
  | 'forward'
  | 'management'
  | 'empty-receive';

export type Account = BilledAccount<OperationKind>;
export type Billing = BillingOf<OperationKind>;

export const createBilling = (): Billing => new BillingOf<OperationKind>({ stepBytes: BILLED_STEP_BYTES });
