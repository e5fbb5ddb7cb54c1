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

/** What was asked of one entity. */
export class Account {
  readonly #operations = new Map<OperationKind, number>();

  get operations(): ReadonlyMap<OperationKind, number> {
    return this.#operations;
  }

  count(kind: OperationKind, operations = 1): void {
    this.#operations.set(kind, (this.#operations.get(kind) ?? 0) + operations);
  }

  /** One message of so many bytes, sent or received. */
  countMessage(kind: 'send' | 'receive' | 'schedule' | 'forward', bytes: number): void {
    this.count(kind, bytes <= BILLED_STEP_BYTES ? 1 : Math.ceil(bytes / BILLED_STEP_BYTES));
  }

  /** Everything that was asked of another entity. */
  add(other: Account): void {
    for (const [kind, operations] of other.#operations) this.count(kind, operations);
  }
}

/** Counts operations as the provider bills them: one API call each, and one more for each further 64 KiB of a message. */
export class Billing {
  readonly #accounts = new Map<string, Account>();

  get total(): number {
    let total = 0;
    for (const { operations } of this.#accounts.values()) for (const count of operations.values()) total += count;
    return total;
  }

  /** @param entity path of a queue, topic or subscription; '' for the namespace. Compares without case */
  account(entity: string): Account {
    const key = entity.toLowerCase();
    let account = this.#accounts.get(key);
    if (account === undefined) this.#accounts.set(key, (account = new Account()));
    return account;
  }

  /** @param entity path of the queue, topic or subscription that was asked; '' for the namespace */
  count(entity: string, kind: OperationKind, operations = 1): void {
    this.account(entity).count(kind, operations);
  }

  /** One message of so many bytes, sent or received. */
  countMessage(entity: string, kind: 'send' | 'receive' | 'schedule' | 'forward', bytes: number): void {
    this.account(entity).countMessage(kind, bytes);
  }

  /** The entity is gone: what was asked of it counts for `heir` from now on, so that paths do not pile up. */
  close(entity: string, heir: string): void {
    const key = entity.toLowerCase();
    const account = this.#accounts.get(key);
    if (account === undefined) return;
    this.#accounts.delete(key);
    this.account(heir).add(account);
  }

  /** By path in lower case. Those of deleted subscriptions count for their topic, other deleted entities for ''. */
  byEntity(): ReadonlyMap<string, ReadonlyMap<OperationKind, number>> {
    return new Map([...this.#accounts].map(([entity, { operations }]) => [entity, operations]));
  }
}
