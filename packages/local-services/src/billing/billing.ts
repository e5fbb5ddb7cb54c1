/** What an account counts, and how. */
export interface Tariff {
  /** A message is one operation for each step of this many bytes begun. */
  readonly stepBytes: number;
}

/** What was asked of one entity. `Kind`: names of the operations that the service bills. */
export class Account<Kind extends string> {
  readonly #stepBytes: number;
  readonly #operations = new Map<Kind, number>();

  constructor({ stepBytes }: Tariff) {
    this.#stepBytes = stepBytes;
  }

  get operations(): ReadonlyMap<Kind, number> {
    return this.#operations;
  }

  count(kind: Kind, operations = 1): void {
    this.#operations.set(kind, (this.#operations.get(kind) ?? 0) + operations);
  }

  /** One message of so many bytes, sent or received. */
  countMessage(kind: Kind, bytes: number): void {
    this.count(kind, bytes <= this.#stepBytes ? 1 : Math.ceil(bytes / this.#stepBytes));
  }

  /** Everything that was asked of another entity. */
  add(other: Account<Kind>): void {
    for (const [kind, operations] of other.#operations) this.count(kind, operations);
  }
}

/** Counts operations as the provider bills them: one API call each, and one more for each further step of a message's size. */
export class Billing<Kind extends string> {
  readonly #tariff: Tariff;
  readonly #accounts = new Map<string, Account<Kind>>();

  constructor(tariff: Tariff) {
    this.#tariff = tariff;
  }

  get total(): number {
    let total = 0;
    for (const { operations } of this.#accounts.values()) for (const count of operations.values()) total += count;
    return total;
  }

  /** @param entity path of a queue, topic or subscription; '' for the namespace. Compares without case */
  account(entity: string): Account<Kind> {
    const key = entity.toLowerCase();
    let account = this.#accounts.get(key);
    if (account === undefined) this.#accounts.set(key, (account = new Account(this.#tariff)));
    return account;
  }

  /** @param entity path of the queue, topic or subscription that was asked; '' for the namespace */
  count(entity: string, kind: Kind, operations = 1): void {
    this.account(entity).count(kind, operations);
  }

  /** One message of so many bytes, sent or received. */
  countMessage(entity: string, kind: Kind, bytes: number): void {
    this.account(entity).countMessage(kind, bytes);
  }

  /** The entity is gone: what was asked of it counts for `successor` from now on, so that paths do not pile up. */
  close(entity: string, successor: string): void {
    const key = entity.toLowerCase();
    const account = this.#accounts.get(key);
    if (account === undefined) return;
    this.#accounts.delete(key);
    this.account(successor).add(account);
  }

  /** By path in lower case. Those of deleted subscriptions count for their topic, other deleted entities for ''. */
  byEntity(): ReadonlyMap<string, ReadonlyMap<Kind, number>> {
    return new Map([...this.#accounts].map(([entity, { operations }]) => [entity, operations]));
  }
}
