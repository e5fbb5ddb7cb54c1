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
  | 'management'
  | 'empty-receive';

/** Counts operations as the provider bills them: one API call each, and one more for each further 64 KiB of a message. */
export class Billing {
  readonly #byEntity = new Map<string, Map<OperationKind, number>>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** @param entity path of the queue, topic or subscription that was asked; '' for the namespace */
  count(entity: string, kind: OperationKind, operations = 1): void {
    this.#total += operations;
    const key = entity.toLowerCase();
    let kinds = this.#byEntity.get(key);
    if (kinds === undefined) this.#byEntity.set(key, (kinds = new Map()));
    kinds.set(kind, (kinds.get(kind) ?? 0) + operations);
  }

  /** One message of so many bytes, sent or received. */
  countMessage(entity: string, kind: 'send' | 'receive' | 'schedule', bytes: number): void {
    this.count(entity, kind, Math.max(1, Math.ceil(bytes / BILLED_STEP_BYTES)));
  }

  byEntity(): ReadonlyMap<string, ReadonlyMap<OperationKind, number>> {
    return this.#byEntity;
  }
}
